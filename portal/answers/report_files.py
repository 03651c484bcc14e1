"""Owns the forms in which a monthly report of one tenant is taken away."""

from collections.abc import Mapping
from typing import Any, Literal

from portal.answers.csv_lines import MEDIA_TYPE, csv_lines
from portal.answers.report_html import sheet_html
from portal.answers.report_lines import MONTHLY, monthly_csv
from portal.answers.report_pdf import sheet_pdf
from portal.answers.report_sheet import monthly_sheet
from schemas.times import parse_time

Form = Literal["json", "csv", "html", "pdf"]


def file_of(report: Mapping[str, Any], form: Form) -> tuple[str | bytes, str]:
    """Return a monthly report as a file that is no JSON, and its media type."""
    if form == "csv":
        return csv_lines([MONTHLY]) + monthly_csv([report]), MEDIA_TYPE
    sheet = monthly_sheet(report)
    if form == "html":
        return sheet_html(sheet), "text/html; charset=utf-8"
    return sheet_pdf(sheet, parse_time(report["until"])), "application/pdf"
