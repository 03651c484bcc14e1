// An OpenID Connect provider for the tests: the certified implementation oidc-provider with a client and some accounts.
// node server.mjs MODULES PORT CLIENT_SECRET PORTAL... serves on 127.0.0.1; whoever asks to sign in names an account.
import { randomUUID } from "node:crypto";
import http from "node:http";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, port, clientSecret, ...portals] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(modules, "oidc-provider", "lib", "index.js")));

const ACCOUNTS = {
  ana: { email: "ana@msp.example", email_verified: true, roles: ["poolwatch.provider_admin"] },
  vic: { email: "vic@msp.example", email_verified: true, groups: ["0c5a6a5e-viewers"] },
  tia: { email: "tia@contoso.example", email_verified: true, roles: ["poolwatch.tenant_admin:contoso", "another-application.admin"] },
  tom: { email: "tom@contoso.example", email_verified: true, roles: ["poolwatch.tenant_viewer"], tenants: ["contoso", "fabrikam"] },
  max: { roles: ["poolwatch.tenant_viewer"], tenants: Array.from({ length: 300 }, () => randomUUID()) },
  nora: { email: "nora@msp.example", roles: ["another-application.admin"] },
  boss: { email: "Boss@msp.example", email_verified: true },
  impostor: { email: "boss@msp.example", email_verified: false },
  pretender: { email: "boss@msp.example" }, // nobody says whether it was checked
};

// The page that the package itself shows fetches a font from elsewhere.
function logoutSource(ctx, form) {
  ctx.body = `<!doctype html><title>Provider</title><link rel="icon" href="data:,">${form}
<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>`;
}

const issuer = `http://127.0.0.1:${port}`;
const provider = new Provider(issuer, {
  clients: [{
    client_id: "poolwatch",
    client_secret: clientSecret,
    redirect_uris: portals.map((portal) => `${portal}/auth/callback`),
    post_logout_redirect_uris: portals.map((portal) => `${portal}/auth/signed-out`),
  }],
  pkce: { required: () => true },
  conformIdTokenClaims: false, // as Entra ID, all that is known stands in the id_token
  claims: { openid: ["sub"], profile: ["roles", "groups", "tenants"], email: ["email", "email_verified"] },
  scopes: ["openid", "profile", "email"],
  features: { devInteractions: { enabled: false }, rpInitiatedLogout: { enabled: true, logoutSource } },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, ...ACCOUNTS[id] }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  cookies: { keys: [clientSecret] },
  async loadExistingGrant(ctx) { // nobody is asked for consent
    const grant = new ctx.oidc.provider.Grant({ accountId: ctx.oidc.session.accountId, clientId: ctx.oidc.client.clientId });
    grant.addOIDCScope("openid profile email");
    await grant.save();
    return grant;
  },
});

const FORM = `<!doctype html><title>Provider</title><link rel="icon" href="data:,"><form method="post"><label>Account <input name="account"></label><button>Continue</button></form>`;

async function interact(request, response) {
  if (request.method !== "POST") return response.setHeader("Content-Type", "text/html").end(FORM);
  let body = "";
  for await (const part of request) body += part;
  const account = new URLSearchParams(body).get("account");
  const result = account in ACCOUNTS ? { login: { accountId: account } } : { error: "access_denied" };
  return provider.interactionFinished(request, response, result, { mergeWithLastSubmission: false });
}

const answer = provider.callback();
http.createServer((request, response) =>
  request.url.startsWith("/interaction/") ? interact(request, response) : answer(request, response),
).listen(Number(port), "127.0.0.1");
