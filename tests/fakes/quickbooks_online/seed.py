"""A company to begin with, and the two pages that show its settings: company info and preferences."""

from decimal import Decimal
from typing import Any, Final

from tests.fakes.quickbooks_online.company import Company
from tests.fakes.quickbooks_online.fields import Json

PAGES: Final = ("CompanyInfo", "Preferences")
_WORDS: Final = {"AU": "GST", "GB": "VAT", "CA": "GST/HST"}
_HOME: Final = {"US": "USD", "AU": "AUD", "GB": "GBP", "CA": "CAD"}
_ACCOUNTS: Final = (
    ("1", "Services", "Income", "ServiceFeeIncome", "4000"),
    ("4", "Undeposited Funds", "Other Current Asset", "UndepositedFunds", "1050"),
    ("7", "Advertising", "Expense", "AdvertisingPromotional", "6000"),
    ("33", "Accounts Payable (A/P)", "Accounts Payable", "AccountsPayable", "2000"),
    ("35", "Checking", "Bank", "Checking", "1000"),
    ("41", "Mastercard", "Credit Card", "CreditCard", "2050"),
    ("79", "Sales of Product Income", "Income", "SalesOfProductIncome", "4010"),
    ("80", "Cost of Goods Sold", "Cost of Goods Sold", "SuppliesMaterialsCogs", "5000"),
    ("81", "Inventory Asset", "Other Current Asset", "Inventory", "1200"),
    ("84", "Accounts Receivable (A/R)", "Accounts Receivable", "AccountsReceivable", "1100"),
    ("86", "Discounts given", "Income", "DiscountsRefundsGiven", "4090"),
    ("89", "Sales Tax Payable", "Other Current Liability", "SalesTaxPayable", "2100"),
    ("91", "Shipping Income", "Income", "OtherPrimaryIncome", "4020"),
    ("92", "Job Materials", "Expense", "SuppliesMaterials", "6010"),
    ("93", "Exchange Gain or Loss", "Other Expense", "ExchangeGainOrLoss", "8000"),
)
_ADDRESS: Final = {
    "Id": "2",
    "Line1": "4581 Finch St.",
    "City": "Bayshore",
    "CountrySubDivisionCode": "CA",
    "PostalCode": "94326",
    "Lat": "INVALID",
    "Long": "INVALID",
}


def seed(company: Company, country: str = "US") -> Company:
    """Fill an empty company: accounts, items, terms, taxes and a few people."""
    settings = company.settings
    settings.country, settings.home_currency = country, _HOME[country]
    settings.partner_tax = country == "US"
    settings.tax_word = _WORDS.get(country, "sales tax")
    home = company.currency_ref(settings.home_currency)
    for key, name, kind, sub_type, number in _ACCOUNTS:
        debit = "Expense" if "Expense" in kind or "Cost" in kind else "Asset"
        classification = "Revenue" if kind == "Income" else debit
        _put(
            company,
            "Account",
            key,
            Name=name,
            FullyQualifiedName=name,
            SubAccount=False,
            Classification="Liability" if "Payable" in kind or "Liability" in kind else classification,
            AccountType=kind,
            AccountSubType=sub_type,
            AcctNum=number,
            CurrentBalance=0,
            CurrentBalanceWithSubAccounts=0,
            CurrencyRef=home,
        )
    terms = (("1", "Due on receipt", 0), ("2", "Net 15", 15), ("3", "Net 30", 30), ("4", "Net 60", 60))
    for key, name, days in terms:
        _put(company, "Term", key, Name=name, Type="STANDARD", DueDays=days, DiscountDays=0)
    _items(company)
    _people(company, home)
    for entity, names in (("Class", ("Workshop", "Field service")), ("Department", ("North", "South"))):
        for place, name in enumerate(names, 1):
            flag = {"SubClass": False} if entity == "Class" else {"SubDepartment": False}
            _put(company, entity, str(place), Name=name, FullyQualifiedName=name, **flag)
    _taxes(company, country)
    refresh(company)
    return company


def _put(company: Company, entity: str, key: str, **fields: Any) -> Json:
    return company.add(entity, {"Active": True, **fields}, key)


def _items(company: Company) -> None:
    service = {"Taxable": False, "UnitPrice": 0, "PurchaseCost": 0, "TrackQtyOnHand": False}
    for key, name, kind, account in (("1", "Services", "Service", "1"), ("2", "Hours", "Service", "1")):
        ref = {"value": account, "name": "Services"}
        _put(company, "Item", key, Name=name, FullyQualifiedName=name, Type=kind, IncomeAccountRef=ref, **service)
    _put(
        company,
        "Item",
        "11",
        Name="Pump",
        FullyQualifiedName="Pump",
        Sku="P461-17",
        Type="Inventory",
        Taxable=True,
        UnitPrice=15,
        PurchaseCost=10,
        TrackQtyOnHand=True,
        QtyOnHand=25,
        InvStartDate="2020-01-01",
        IncomeAccountRef={"value": "79", "name": "Sales of Product Income"},
        ExpenseAccountRef={"value": "80", "name": "Cost of Goods Sold"},
        AssetAccountRef={"value": "81", "name": "Inventory Asset"},
    )


def _people(company: Company, home: Json) -> None:
    customer = {
        "Taxable": True,
        "Job": False,
        "BillWithParent": False,
        "Balance": 0,
        "BalanceWithJobs": 0,
        "CurrencyRef": home,
        "PreferredDeliveryMethod": "Print",
    }
    for key, name in (("1", "Amy's Bird Sanctuary"), ("3", "Cool Cars")):
        names = {"DisplayName": name, "FullyQualifiedName": name, "CompanyName": name, "PrintOnCheckName": name}
        _put(company, "Customer", key, **customer, **names, BillAddr=dict(_ADDRESS), ShipAddr=dict(_ADDRESS))
    vendor = {"Balance": 0, "Vendor1099": False, "CurrencyRef": home}
    for key, name in (("56", "Bob's Burger Joint"), ("46", "Norton Lumber and Building Materials")):
        _put(company, "Vendor", key, **vendor, DisplayName=name, PrintOnCheckName=name)
    names = {"GivenName": "Emily", "FamilyName": "Platt", "DisplayName": "Emily Platt"}
    _put(company, "Employee", "55", BillableTime=False, PrintOnCheckName="Emily Platt", **names)


def _taxes(company: Company, country: str) -> None:
    _put(
        company,
        "TaxAgency",
        "1",
        DisplayName="Tax office",
        TaxTrackedOnPurchases=country != "US",
        TaxTrackedOnSales=True,
    )
    if country == "US":
        for key, taxable in (("TAX", True), ("NON", False)):
            _put(company, "TaxCode", key, Name=key, Description=key, Taxable=taxable, TaxGroup=False)
        add_tax(company, "2", "California", "3", Decimal(8))
        add_tax(company, "3", "Tucson", "1", Decimal("9.1"))
        company.settings.state_rates = {"CA": "3", "AZ": "1"}
        return
    rates = {
        "AU": (("10", "GST", "10"), ("11", "GST free", "0")),
        "CA": (("10", "HST ON", "13"), ("11", "Exempt", "0")),
    }
    for key, name, rate in rates.get(country, (("10", "20.0% S", "20"), ("11", "0.0% Z", "0"))):
        add_tax(company, key, name, str(int(key) + 10), Decimal(rate), both=True)


def add_tax(company: Company, key: str, name: str, rate_key: str, percent: Decimal, both: bool = False) -> Json:
    """A tax code with one rate, on sales and, with ``both``, on purchases."""
    rate = _put(
        company,
        "TaxRate",
        rate_key,
        Name=name,
        Description=name,
        RateValue=percent,
        AgencyRef={"value": "1"},
        SpecialTaxType="NONE",
        DisplayType="ReadOnly",
    )
    ref = {"TaxRateRef": {"value": rate["Id"], "name": name}, "TaxTypeApplicable": "TaxOnAmount", "TaxOrder": 0}
    return _put(
        company,
        "TaxCode",
        key,
        Name=name,
        Description=name,
        Taxable=True,
        TaxGroup=True,
        SalesTaxRateList={"TaxRateDetail": [ref]},
        PurchaseTaxRateList={"TaxRateDetail": [ref] if both else []},
    )


def add_project(company: Company, customer: str, name: str) -> Json:
    """A project of a customer: made outside this service, as the maker's project service does."""
    parent = company.all("Customer")[customer]
    return company.add(
        "Customer",
        {
            **{field: parent[field] for field in ("Taxable", "CurrencyRef", "PreferredDeliveryMethod")},
            "Active": True,
            "DisplayName": name,
            "FullyQualifiedName": f"{parent['FullyQualifiedName']}:{name}",
            "PrintOnCheckName": name,
            "Job": True,
            "IsProject": True,
            "BillWithParent": True,
            "ParentRef": {"value": customer, "name": parent["DisplayName"]},
            "Level": int(parent.get("Level", 0)) + 1,
            "Balance": 0,
            "BalanceWithJobs": 0,
        },
    )


def refresh(company: Company) -> None:
    """Bring company info and preferences in line with the settings."""
    for entity, page in (("CompanyInfo", _company_info(company)), ("Preferences", _preferences(company))):
        old = company.all(entity).get("1")
        if old is None:
            company.add(entity, page, "1")
        elif any(old.get(name) != value for name, value in page.items()):
            company.replace(entity, old, page)


def _company_info(company: Company) -> Json:
    settings = company.settings
    status = "EXPIRED" if settings.subscription_ended else "SUBSCRIBED"
    return {
        "CompanyName": f"Rehearsal company {company.realm}",
        "LegalName": f"Rehearsal company {company.realm}",
        "CompanyAddr": {"Id": "1", "Line1": "1 Main Street", "Country": settings.country},
        "Country": settings.country,
        "FiscalYearStartMonth": "January",
        "SupportedLanguages": "en",
        "NameValue": [
            {"Name": "OfferingSku", "Value": "QuickBooks Online Plus"},
            {"Name": "SubscriptionStatus", "Value": status},
        ],
    }


def _preferences(company: Company) -> Json:
    settings = company.settings
    accounting: Json = {
        "UseAccountNumbers": True,
        "TrackDepartments": True,
        "ClassTrackingPerTxn": False,
        "ClassTrackingPerTxnLine": True,
        "FirstMonthOfFiscalYear": "January",
        "TaxYearMonth": "January",
        "CustomerTerminology": "Customers",
    }
    if settings.closing_date:
        accounting["BookCloseDate"] = settings.closing_date
    pairs = {
        "WarnDuplicateCheckNumber": True,
        "WarnDuplicateBillNumber": settings.warn_duplicate_bill_numbers,
        "ProjectsEnabled": True,
        "TimeTrackingFeatureEnabled": True,
    }
    tax: Json = {"UsingSalesTax": settings.using_sales_tax}
    if settings.country == "US":
        tax["PartnerTaxEnabled"] = settings.partner_tax
    return {
        "AccountingInfoPrefs": accounting,
        "ProductAndServicesPrefs": {"ForSales": True, "ForPurchase": True, "QuantityOnHand": True},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": settings.custom_numbers,
            "AllowDiscount": settings.allow_discount,
            "AllowShipping": settings.allow_shipping,
            "AllowDeposit": False,
            "AutoApplyCredit": False,
        },
        "VendorAndPurchasesPrefs": {"TrackingByCustomer": True, "BillableExpenseTracking": True},
        "TimeTrackingPrefs": {
            "UseServices": settings.time_needs_item,
            "BillCustomers": True,
            "WorkWeekStartDate": "Monday",
        },
        "TaxPrefs": tax,
        "CurrencyPrefs": {
            "MultiCurrencyEnabled": settings.multi_currency,
            "HomeCurrency": {"value": settings.home_currency},
        },
        "ReportPrefs": {"ReportBasis": "Accrual"},
        "OtherPrefs": {"NameValue": [{"Name": name, "Value": str(on).lower()} for name, on in pairs.items()]},
    }
