"""Owns a report's sheet as PDF: the same bytes for the same sheet."""

import logging
from datetime import datetime
from pathlib import Path

from portal.answers.report_sheet import Sheet, Table

# It tells at length of each character that the font lacks.
logging.getLogger("fpdf").setLevel(logging.ERROR)
logging.getLogger("fontTools").setLevel(logging.ERROR)

_FONT = "DejaVu"
_SIZE, _LARGE, _HEADING = 10, 16, 12
_LINE_MM = 6


def sheet_pdf(sheet: Sheet, made_at: datetime) -> bytes:
    """Return a sheet as a PDF document. `made_at`: what it says of itself; that of a closed period must not differ."""
    import matplotlib as mpl
    from fpdf import FPDF

    # Its font knows more scripts than PDF's own, which know Latin alone; and it is there already.
    fonts = Path(mpl.get_data_path()) / "fonts/ttf"
    pdf = FPDF(format="A4")
    pdf.set_creation_date(made_at)
    pdf.set_title(sheet.title)
    pdf.set_lang("en")
    pdf.add_font(_FONT, fname=fonts / "DejaVuSans.ttf")
    pdf.add_font(_FONT, style="B", fname=fonts / "DejaVuSans-Bold.ttf")
    pdf.add_page()
    pdf.set_font(_FONT, "B", _LARGE)
    pdf.multi_cell(0, 9, sheet.title, new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(_FONT, size=_SIZE)
    for line in (sheet.subtitle, *sheet.notes):
        pdf.multi_cell(0, _LINE_MM, line, new_x="LMARGIN", new_y="NEXT")
    for table in sheet.tables:
        pdf.ln(_LINE_MM)
        pdf.set_font(_FONT, "B", _HEADING)
        pdf.multi_cell(0, 8, table.title, new_x="LMARGIN", new_y="NEXT")
        pdf.set_font(_FONT, size=_SIZE)
        with pdf.table(text_align=_aligned(table), line_height=_LINE_MM) as drawn:
            for row in (table.columns, *table.rows):
                drawn.row(row)
    return bytes(pdf.output())


def _aligned(table: Table) -> tuple[str, ...]:
    others = "RIGHT" if table.numbers else "LEFT"
    return ("LEFT", *(others for _ in table.columns[1:]))
