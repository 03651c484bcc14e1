"""Owns the format of the Microsoft 365 admin centre's user export: it feeds directory and subscription."""

from collectors.files.formats import Format, ReadOptions, RowReader
from collectors.files.products import product_of, split_products
from collectors.files.rows import Observation, Remark
from collectors.files.table import Columns
from collectors.files.values import boolean, text_of, user_subject
from schemas.events import FacetName


def _facets(_columns: Columns) -> frozenset[FacetName]:
    return frozenset({"directory", "subscription"})


def _subscription(names: list[str], remarks: list[Remark]) -> dict[str, object]:
    skus: list[str] = []
    teams_phone: bool | None = False
    for name in names:
        product = product_of(name)
        if product is None:
            remarks.append(Remark("unknown_product", name[:120]))
            skus.append(name)
            # Not known to hold Teams Phone is not the same as known not to.
            teams_phone = teams_phone or None
        else:
            skus.append(product.sku)
            teams_phone = True if product.teams_phone else teams_phone
    return {"skus": skus, "teams_phone": teams_phone}


def _reader(columns: Columns, _options: ReadOptions) -> RowReader:
    object_id, upn, name = (text_of(columns, column) for column in ("Object Id", "User principal name", "Display name"))
    licenses, blocked = text_of(columns, "Licenses"), text_of(columns, "Block credential")
    deleted = text_of(columns, "Soft deletion time stamp")
    tells_deletion = "Soft deletion time stamp" in columns

    def read(cells: list[str], remarks: list[Remark]) -> list[Observation]:
        subject = user_subject(object_id(cells, remarks), "Object Id")
        is_blocked = boolean(blocked(cells, remarks), "Block credential")
        directory = {
            "display_name": name(cells, remarks),
            "user_principal_name": upn(cells, remarks),
            "account_enabled": None if is_blocked is None else not is_blocked,
            "deleted": deleted(cells, remarks) is not None if tells_deletion else None,
        }
        said = len(remarks)
        names = split_products(licenses(cells, remarks))
        # A list that was not expanded says nothing of the licences: unknown, and not none.
        subscription = {} if len(remarks) > said else _subscription(names, remarks)
        return [Observation("directory", subject, directory), Observation("subscription", subject, subscription)]

    return read


M365 = Format("Microsoft 365 users", "m365-file", (("Object Id",), ("Licenses",)), _facets, _reader)
