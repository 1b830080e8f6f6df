"""Who and what there is in the sample shop. Names are as hard as real ones: quotes, scripts, formulas, length."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final

OUR_NAME: Final = "Quayside Bikes BV"
OUR_VAT: Final = "NL000099998B57"
"""Our own VAT number: the example that the Dutch tax office prints, so that it is nobody's."""
OUR_REGISTRATION: Final = "12345678"
"""Our number at the chamber of commerce (scheme 0106), made up."""
HOME_CURRENCY: Final = "EUR"

_LONG: Final = "Coöperatieve Vereniging tot Behoud van Historische Rijwielen, Bakfietsen en Transportmiddelen U.A. "


@dataclass(frozen=True, slots=True)
class Person:
    """A customer, a supplier or an employee."""

    code: str
    name: str
    country: str
    city: str
    currency: str = HOME_CURRENCY
    vat: str = ""
    terms: str = "N30"
    inside: bool = True
    """Whether our own country's tax is charged."""


CUSTOMERS: Final = (
    Person("C001", "Café De Kade", "NL", "Rotterdam", terms="N14"),
    Person("C002", "Bäckerei Müller & Söhne GmbH", "DE", "Köln", vat="DE123456789", inside=False),
    Person("C003", "O'Brien's \"Fast\" Couriers Ltd.", "GB", "Belfast", "GBP", inside=False),
    Person("C004", "=SUM(A1:A9) Events BV", "NL", "Utrecht"),
    Person("C005", 'חנות האופניים בע"מ', "IL", "Haifa", "USD", inside=False),
    Person("C006", "شركة الدراجات الكويتية", "KW", "Kuwait City", "KWD", terms="N60", inside=False),
    Person("C007", "株式会社さくら自転車", "JP", "Osaka", "JPY", terms="N60", inside=False),
    Person("C008", _LONG.strip(), "NL", "'s-Hertogenbosch"),
    Person("C009", "Łódź Żółwie Rowery Sp. z o.o.", "PL", "Łódź", vat="PL1234567890", inside=False),
    Person("C010", "Smith; Jones | Partners (2019), Inc.", "US", "Portland", "USD", "", "2/10N30", False),
    Person("C011", "Robert'); DROP TABLE Invoice;--", "NL", "Delft"),
    Person("C012", "<b>Velo</b> & Zonen NV", "BE", "Antwerpen", vat="BE0123456789", inside=False),
    Person("C013", "Ærø Cykler & Færge A/S", "DK", "Marstal", vat="DK12345678", inside=False),
    Person("C014", "C:\\Fietsen\\Nieuw BV", "NL", "Zwolle", terms="N14"),
    Person("C015", "Rijwielhuis 🚲 Zonder Grenzen", "NL", "Arnhem"),
    Person("C016", "Gemeente Kampen, afd. Groen; Spelen", "NL", "Kampen", terms="N60"),
    Person("C017", "Jansen", "NL", "Breda"),
    Person("C018", "Jansen ", "NL", "Tilburg"),
    Person("C019", "#Hashtag ^Caret *Star BV", "NL", "Almere"),
    Person("C020", "Tax 100% \u2013 Zorg e.V.", "DE", "Bremen", vat="DE987654321", inside=False),
)
"""Two of them have the same name but for a space, in two towns: they are two customers."""

SUPPLIERS: Final = (
    Person("S001", "Staal & Draad Groothandel BV", "NL", "Dordrecht"),
    Person("S002", "Fahrradteile Schröder GmbH & Co. KG", "DE", "Bielefeld", vat="DE192837465", inside=False),
    Person("S003", "Banden-Express", "NL", "Ede", terms="N14"),
    Person("S004", '"Quote & Unquote" Advertising', "NL", "Amsterdam"),
    Person("S005", "台北鏈條股份有限公司", "TW", "Taipei", "USD", "", "N60", False),
    Person("S006", "Nordlys Lykter AS", "NO", "Bergen", "EUR", terms="N30", inside=False),
    Person("S007", "Brooks-Hart & Sons Saddlery Ltd.", "GB", "Birmingham", "GBP", inside=False),
    Person("S008", "Energie Delta NV", "NL", "Rotterdam", terms="N14"),
    Person("S009", "+31 Telecom =Bellen=", "NL", "Den Haag", terms="N14"),
    Person("S010", "Mc Donagh, O’Neill and Daughters", "IE", "Cork", vat="IE1234567T", inside=False),
)

EMPLOYEES: Final = (
    Person("E01", "Sanne de Vries", "NL", "Rotterdam"),
    Person("E02", "Mehmet Öztürk", "NL", "Schiedam"),
    Person("E03", "Zoë O'Connor-Łaska", "NL", "Rotterdam"),
    Person("E04", "Nguyễn Thị Ánh", "NL", "Vlaardingen"),
    Person("E05", "Jan-Willem van 't Hoff", "NL", "Delft"),
)


@dataclass(frozen=True, slots=True)
class Ware:
    """Something that is sold or bought."""

    item: str
    text: str
    price: Decimal
    """In the home currency, without tax."""
    account: str
    tax: str
    """Tax code inside our own country."""


SALES_TAX: Final = {"V21": Decimal(21), "V9": Decimal(9), "V0": Decimal(0)}
"""Per cent by tax code of sales; V0 is for what leaves the country."""
INPUT_TAX: Final = {"I21": Decimal(21), "I9": Decimal(9), "I0": Decimal(0)}
"""Per cent by tax code of purchases."""

SOLD: Final = (
    Ware("BIKE-CITY", "City bike, 7 gears", Decimal("649.00"), "8000", "V21"),
    Ware("BIKE-CARGO", 'Cargo bike "Kade", 250 kg', Decimal("2395.00"), "8000", "V21"),
    Ware("TYRE-28", "Tyre 28 × 1⅝", Decimal("24.95"), "8010", "V21"),
    Ware("LAMP", "Lamp, front & rear", Decimal("33.33"), "8010", "V21"),
    Ware("CHAIN", 'Chain 1/2" × 1/8"', Decimal("17.49"), "8010", "V21"),
    Ware("HOUR", "Repair, per hour", Decimal("54.13"), "8020", "V9"),
    Ware("SERVICE", "Large service; parts apart", Decimal("89.90"), "8020", "V9"),
    Ware("RENTAL", "Rental, week", Decimal("62.50"), "8030", "V21"),
)

BOUGHT: Final = (
    Ware("FRAME", "Frames, lot", Decimal("1180.00"), "4000", "I21"),
    Ware("WHEEL", "Wheels, spoked", Decimal("96.75"), "4000", "I21"),
    Ware("RUBBER", "Tyres and tubes", Decimal("11.37"), "4000", "I21"),
    Ware("", "Electricity and gas", Decimal("412.66"), "4300", "I21"),
    Ware("", "Telephone and internet", Decimal("79.05"), "4310", "I21"),
    Ware("", "Advertisement, page 3", Decimal("240.00"), "4400", "I21"),
    Ware("", "Books and manuals", Decimal("31.19"), "4410", "I9"),
)

RATES: Final = {
    "GBP": (Decimal("1.1724"), Decimal("1.1938")),
    "USD": (Decimal("0.9241"), Decimal("0.8873")),
    "JPY": (Decimal("0.006112"), Decimal("0.005987")),
    "KWD": (Decimal("3.0085"), Decimal("2.8912")),
}
"""Made-up rates of the first and the second year: euros for one unit."""

PROJECTS: Final = ("", "", "", "FLEET-24", "WEBSHOP", "HARBOUR")
TERM_DAYS: Final = {"N14": 14, "N30": 30, "N60": 60, "2/10N30": 30}
"""Days until payment is due, by payment term."""
