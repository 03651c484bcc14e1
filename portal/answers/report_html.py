"""Owns a report's sheet as one HTML file, which asks nobody for anything and prints well."""

from html import escape

from portal.answers.report_sheet import Sheet, Table

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; }
h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .3rem .5rem; border-bottom: 1px solid #8886; vertical-align: top; overflow-wrap: anywhere; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
@page { margin: 2cm; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } tr { break-inside: avoid; } h2 { break-after: avoid; } }
"""  # noqa: E501 -- a rule a line


def sheet_html(sheet: Sheet) -> str:
    """Return a sheet as an HTML document. Nothing that it says is taken for HTML."""
    notes = "\n".join(f"<p>{escape(note)}</p>" for note in sheet.notes)
    tables = "\n".join(map(_table, sheet.tables))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{escape(sheet.title)}</title>
<style>{_STYLE}</style>
</head>
<body>
<main>
<h1>{escape(sheet.title)}</h1>
<p>{escape(sheet.subtitle)}</p>
{notes}
{tables}
</main>
</body>
</html>
"""


def _table(table: Table) -> str:
    head = "".join(
        f'<th scope="col"{_class(table, place)}>{escape(name)}</th>' for place, name in enumerate(table.columns)
    )
    rows = "\n".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td{_class(table, 1)}>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in table.rows
    )
    return f"""<h2>{escape(table.title)}</h2>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{rows}
</tbody>
</table>"""


def _class(table: Table, place: int) -> str:
    return ' class="number"' if table.numbers and place else ""
