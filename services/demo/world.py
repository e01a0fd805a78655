"""Invented names, firms, pages and browsers. No real person, firm or address is meant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Firm:
    """A firm that people work for, as their forms describe it."""

    name: str
    domain: str
    country: str
    employees: int
    industry: str


@dataclass(frozen=True, slots=True)
class Campaign:
    """What brought somebody to the site."""

    source: str
    medium: str
    name: str


SITE = "https://www.brightquay.example"

FIRST_NAMES = (
    *("Aiko", "Amara", "Anton", "Beatriz", "Bilal", "Camille", "Carlos", "Chloe", "Dana", "Dmitri"),
    *("Elena", "Emeka", "Fatima", "Felix", "Freya", "Giulia", "Hana", "Henrik", "Ines", "Ivan"),
    *("Jamal", "Jana", "Joris", "Kavya", "Lars", "Leila", "Lucia", "Mads", "Maren", "Mateo"),
    *("Mei", "Milan", "Nadia", "Nils", "Noor", "Oliver", "Paula", "Priya", "Quentin", "Rafael"),
    *("Rosa", "Samir", "Sanne", "Sofia", "Tariq", "Tessa", "Tomasz", "Uma", "Viktor", "Yara"),
)
LAST_NAMES = (
    *(
        "Abara",
        "Albrecht",
        "Andersen",
        "Bakker",
        "Banerjee",
        "Becker",
        "Bianchi",
        "Blanc",
        "Brandt",
    ),
    *("Castillo", "Chen", "Costa", "Dubois", "Eriksen", "Farouk", "Fischer", "Fontaine", "Garcia"),
    *(
        "Haddad",
        "Hansen",
        "Ito",
        "Jansen",
        "Kaya",
        "Keller",
        "Khan",
        "Kowalski",
        "Kumar",
        "Lambert",
    ),
    *("Lindqvist", "Lopez", "Mancini", "Marsh", "Mensah", "Moreau", "Nakamura", "Novak", "Okafor"),
    *("Olsen", "Patel", "Petrov", "Reyes", "Rossi", "Sato", "Schmidt", "Silva", "Singh", "Tanaka"),
    *("Vance", "Visser", "Weber", "Whitfield", "Yilmaz", "Zhang"),
)
MID_SIZE = (
    Firm("Tidewater Analytics", "tidewater-analytics.com", "US", 240, "software"),
    Firm("Kestrel Logistics", "kestrel-logistics.co.uk", "GB", 410, "logistics"),
    Firm("Nordlicht Medizintechnik", "nordlicht-med.de", "DE", 180, "healthcare"),
    Firm("Polder & Partners", "polderpartners.nl", "NL", 120, "consulting"),
    Firm("Atelier Lumen", "atelier-lumen.fr", "FR", 95, "retail"),
    Firm("Cedar Hill Software", "cedarhillsoft.com", "US", 320, "software"),
    Firm("Maplewind Energy", "maplewind.ca", "CA", 530, "energy"),
    Firm("Brueckner Werkzeuge", "brueckner-werkzeuge.de", "DE", 640, "manufacturing"),
    Firm("Harbour & Finch", "harbourfinch.co.uk", "GB", 150, "finance"),
    Firm("Quartz Row", "quartzrow.com", "US", 75, "software"),
    Firm("Velo Nova", "velonova.nl", "NL", 210, "retail"),
    Firm("Rive Gauche Data", "rivegauche-data.fr", "FR", 60, "software"),
)
ENTERPRISES = (
    Firm("Meridian Freight Group", "meridianfreight.com", "US", 12_000, "logistics"),
    Firm("Sankt Anna Kliniken", "sankt-anna-kliniken.de", "DE", 7_800, "healthcare"),
    Firm("Albion Mutual", "albionmutual.co.uk", "GB", 5_400, "finance"),
    Firm("Groupe Valmont", "groupevalmont.fr", "FR", 21_000, "manufacturing"),
    Firm("Northern Grid", "northerngrid.ca", "CA", 3_900, "energy"),
    Firm("Oranje Telecom", "oranjetelecom.nl", "NL", 9_100, "telecommunications"),
)
CUSTOMERS = (
    Firm("Larkspur Insurance", "larkspur-insurance.com", "US", 860, "finance"),
    Firm("Hafenblick Reederei", "hafenblick-reederei.de", "DE", 430, "logistics"),
    Firm("Stonebridge Foods", "stonebridgefoods.co.uk", "GB", 1_150, "retail"),
)
RIVALS = (
    Firm("Rivalflow", "rivalflow.com", "US", 380, "software"),
    Firm("Handoverly", "handoverly.com", "GB", 140, "software"),
)
UNIVERSITIES = (
    Firm("Lakeshore University", "lakeshore.edu", "US", 9_000, "education"),
    Firm("Pinecrest College", "pinecrest.edu", "US", 2_500, "education"),
)
FREE_MAIL = ("gmail.com", "outlook.com", "web.de", "yahoo.com")
COUNTRIES = ("US", "GB", "DE", "FR", "NL", "CA")
LANGUAGES = {"US": "en", "GB": "en", "DE": "de", "FR": "fr", "NL": "en", "CA": "en"}

BLOG = ("lead-handover-checklist", "speed-to-lead", "what-is-an-mql", "sales-and-marketing-peace")
DOCS = ("quick-start", "webhooks", "sso", "api-limits", "audit-log")
CAMPAIGNS = (
    Campaign("google", "cpc", "brand_search"),
    Campaign("linkedin", "paid_social", "revops_leaders"),
    Campaign("newsletter", "email", "autumn_benchmark"),
    Campaign("partner", "referral", "kestrel_marketplace"),
)
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0",
    f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {_WEBKIT} Version/19.1 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    f"Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) {_WEBKIT} Mobile/15E148 Safari/604.1",
)
BOTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)
