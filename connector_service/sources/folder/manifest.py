"""What a drop folder is and can do."""

from typing import Final

from connector_service.contract.manifest import SettingField, SourceManifest, TaxRounding
from connector_service.domain.kinds import Kind

MANIFEST: Final = SourceManifest(
    system="folder",
    title="Drop folder",
    summary="Takes the e-invoices (UBL, CII, Factur-X, ZUGFeRD, XRechnung), tables and JSON lines that are put there.",
    kinds=frozenset(Kind),
    consumes=True,
    tax_rounding=TaxRounding.DOCUMENT,
    settings=(
        SettingField(
            "folder",
            "The drop folder, relative to the data folder; done/ and rejected/ lie in it.",
            required=True,
        ),
        SettingField(
            "party_id",
            "Your own VAT number, electronic address or registration number as it stands in e-invoices, several with "
            "commas between them; it tells sales from purchases.",
        ),
        SettingField("profile", "The profile that reads CSV and XLSX files: a name or a path."),
        SettingField("settle_seconds", "How long a file must have been left alone before it is taken.", default="2"),
        SettingField("max_file_megabytes", "Files above this size are refused.", default="50"),
    ),
)
"""The declaration that the engine, the settings and the documentation read."""
