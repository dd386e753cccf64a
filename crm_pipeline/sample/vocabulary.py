"""Words that sample data is made of: people and places in many scripts, talk of many kinds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """A region where some people live.

    Attributes:
        weight: how many of a hundred people are from here.
        country_code: ISO 3166, as clients happen to write it.
        phone: what a number begins with.
        first_names: as written there, and in ASCII for an address.
        surnames: the same.
        places: city, county or state, postal code (`#` is a digit).
        streets: lines of an address, `#` is a digit.
        company_endings: legal forms there.
    """

    weight: int
    country_code: str
    phone: str
    first_names: tuple[tuple[str, str], ...]
    surnames: tuple[tuple[str, str], ...]
    places: tuple[tuple[str, str, str], ...]
    streets: tuple[str, ...]
    company_endings: tuple[str, ...]


def _names(text: str) -> tuple[tuple[str, str], ...]:
    """Pairs out of `Юлия/yuliya Анна/anna`; a name in ASCII stands for itself."""
    pairs = (word.replace("_", " ").partition("/") for word in text.split())
    return tuple((name, ascii_name or name.lower()) for name, _, ascii_name in pairs)


REGIONS = (
    Region(
        30,
        "GB",
        "+44 20 7### ####",
        _names("Amelia Oliver Isla Harry Freya George Niamh/niamh Siân/sian Rhys Zoë/zoe"),
        _names(
            "Smith Jones O'Brien/obrien Taylor Llewellyn MacLeod/macleod Hughes Fox-Hale/foxhale"
        ),
        (("London", "Greater London", "SW1A #AA"), ("Leeds", "West Yorkshire", "LS# #QT")),
        ("## High Street", "Flat #, ## Mill Lane", "The Old Bakery"),
        ("Ltd", "plc", "LLP"),
    ),
    Region(
        24,
        "US",
        "+1 (###) 555-01##",
        _names("Emma Liam Olivia Noah Ava Mason Maya Ethan Chloe Jayden"),
        _names("Johnson Williams Brown Garcia Miller Davis Nguyen Washington Lee Kowalski"),
        (("Austin", "TX", "787##"), ("Portland", "OR", "972##"), ("Boston", "MA", "021##-####")),
        ("### Main St", "#### N 5th Ave, Suite ###", "PO Box ####"),
        ("Inc.", "LLC", "Corp."),
    ),
    Region(
        9,
        "DE",
        "+49 30 #######",
        _names("Jürgen/juergen Käthe/kaethe Sören/soeren Lena Björn/bjoern Anneliese"),
        _names("Müller/mueller Groß/gross Weiß/weiss von_der_Heide/heide Köhler/koehler"),
        (("München", "Bayern", "80###"), ("Düsseldorf", "Nordrhein-Westfalen", "402##")),
        ("Hauptstraße ##", "Am Königsweg #a"),
        ("GmbH", "AG", "GmbH & Co. KG"),
    ),
    Region(
        6,
        "FR",
        "+33 1 ## ## ## ##",
        _names("Éloïse/eloise François/francois Maëlys/maelys Noé/noe Chloé/chloe Benoît/benoit"),
        _names("Lefèvre/lefevre D'Amboise/damboise Gauthier Béranger/beranger"),
        (("Orléans", "Centre-Val de Loire", "450##"), ("Saint-Étienne", "Loire", "420##")),
        ("## rue de l'Église", "#, allée des Tilleuls"),
        ("SARL", "SA", "SAS"),
    ),
    Region(
        5,
        "ES",
        "+34 91 ### ## ##",
        _names("José/jose María/maria Íñigo/inigo Lucía/lucia Begoña/begona"),
        _names("García_Núñez/garcia Muñoz/munoz Ibáñez/ibanez Peña/pena"),
        (("A Coruña", "Galicia", "150##"), ("Cádiz", "Andalucía", "110##")),
        ("Calle Mayor ##, #º B", "Avda. de la Constitución ##"),
        ("S.L.", "S.A."),
    ),
    Region(
        4,
        "PL",
        "+48 22 ### ## ##",
        _names("Łukasz/lukasz Małgorzata/malgorzata Żaneta/zaneta Paweł/pawel"),
        _names("Wójcik/wojcik Dąbrowska/dabrowska Źrebiec/zrebiec Kowalczyk"),
        (("Łódź", "łódzkie", "90-###"), ("Kraków", "małopolskie", "30-###")),
        ("ul. Świętokrzyska ##/#", "pl. Żołnierzy #"),
        ("Sp. z o.o.", "S.A."),
    ),
    Region(
        4,
        "UA",
        "+380 44 ### ## ##",
        _names("Юлія/yuliya Сергій/serhiy Оксана/oksana Дмитро/dmytro Ганна/hanna"),
        _names("Шевченко/shevchenko Ковальчук/kovalchuk Гриценко/hrytsenko Їжакевич/yizhakevych"),
        (("Київ", "Київська область", "01###"), ("Львів", "Львівська область", "79###")),
        ("вул. Хрещатик, ##", "просп. Свободи, #"),
        ("ТОВ", "ПАТ"),
    ),
    Region(
        3,
        "GR",
        "+30 21 #### ####",
        _names("Ελένη/eleni Γιώργος/giorgos Αικατερίνη/aikaterini Χρήστος/christos"),
        _names("Παπαδόπουλος/papadopoulos Ψαρρού/psarrou Οικονόμου/oikonomou"),
        (("Αθήνα", "Αττική", "105 ##"), ("Θεσσαλονίκη", "Κεντρική Μακεδονία", "546 ##")),
        ("Οδός Ερμού ##",),
        ("Α.Ε.", "Ε.Π.Ε."),
    ),
    Region(
        3,
        "TR",
        "+90 212 ### ## ##",
        _names("İpek/ipek Çağrı/cagri Şule/sule Işıl/isil Ömer/omer"),
        _names("Yılmaz/yilmaz Öztürk/ozturk Çelik/celik Şahin/sahin"),
        (("İstanbul", "İstanbul", "34###"), ("İzmir", "İzmir", "35###")),
        ("Bağdat Cad. No: ##/#",),
        ("A.Ş.", "Ltd. Şti."),
    ),
    Region(
        2,
        "AE",
        "+971 4 ### ####",
        _names("محمد/mohammed فاطمة/fatima عبد_الله/abdullah نور/noor"),
        _names("الهاشمي/alhashimi بن_سعيد/binsaid المنصوري/almansoori"),
        (("دبي", "دبي", "#####"), ("أبو ظبي", "أبو ظبي", "#####")),
        ("شارع الشيخ زايد ##",),
        ("ش.م.م",),
    ),
    Region(
        2,
        "IL",
        "+972 3 ### ####",
        _names("נועה/noa יוסף/yosef תמר/tamar אורי/uri"),
        _names("כהן/cohen לוי/levi בן-דוד/bendavid"),
        (("תל אביב-יפו", "תל אביב", "#######"),),
        ("רחוב דיזנגוף ##",),
        ('בע"מ',),
    ),
    Region(
        3,
        "CN",
        "+86 10 #### ####",
        _names("伟/wei 芳/fang 欣怡/xinyi 建国/jianguo"),
        _names("王/wang 李/li 欧阳/ouyang 張/zhang"),
        (("北京市", "北京", "1000##"), ("上海市", "上海", "2000##")),
        ("建国门外大街##号",),
        ("有限公司", "股份有限公司"),
    ),
    Region(
        2,
        "JP",
        "+81 3-####-####",
        _names("さくら/sakura 大翔/hiroto ユミ/yumi 健太郎/kentaro"),
        _names("佐藤/sato 髙橋/takahashi 渡邉/watanabe ミラー/miller"),
        (("東京都港区", "東京都", "105-####"), ("大阪市", "大阪府", "530-####")),
        ("芝公園#丁目#-#",),
        ("株式会社", "合同会社"),
    ),
    Region(
        1,
        "KR",
        "+82 2-###-####",
        _names("지우/jiwoo 민준/minjun 서연/seoyeon"),
        _names("김/kim 이/lee 황보/hwangbo"),
        (("서울특별시", "서울", "04###"),),
        ("세종대로 ###",),
        ("주식회사",),
    ),
    Region(
        1,
        "IN",
        "+91 22 #### ####",
        _names("प्रिया/priya अर्जुन/arjun लक्ष्मी/lakshmi"),
        _names("शर्मा/sharma कृष्णमूर्ति/krishnamurthy त्रिपाठी/tripathi"),
        (("मुंबई", "महाराष्ट्र", "4000##"),),
        ("महात्मा गांधी मार्ग ##",),
        ("प्रा. लि.",),
    ),
    Region(
        1,
        "VN",
        "+84 28 #### ####",
        _names("Nguyệt/nguyet Đức/duc Thảo/thao"),
        _names("Nguyễn/nguyen Trần_Thị/tran Phạm/pham"),
        (("Thành phố Hồ Chí Minh", "Hồ Chí Minh", "70####"),),
        ("## Đường Lê Lợi",),
        ("TNHH",),
    ),
)

COMPANIES = (
    "Northgate",
    "Blue Heron",
    "Vertex & Sons",
    "Café Lumière",
    "Æther Works",
    "Hanseatic Tools",
    "Sumida Optics",
    "Kestrel Analytics",
    '"Quoted" Media',
    "Pâtisserie Delacroix",
    "O'Malley Freight",
    "Zephyr Grid",
    "Ångström Labs",
    "Tundra Foods",
    "Mosaic Learning",
    "Ferrous Steel",
)

MAIL_DOMAINS = (
    "mail.example",
    "post.example",
    "inbox.example",
    "northgate.example",
    "heron.example",
    "vertex.example",
    "kestrel.example",
    "zephyr-grid.example",
    "rival.example",
    "mailtest.example",
)

TITLES = ("Mr.", "Ms.", "Mrs.", "Dr.", "Prof.", "Mr", "Frau", "Mme", "  Dr. ")

JOBS = (
    "Head of Marketing",
    "CTO",
    "R&D Engineer",
    "Sales Manager, EMEA",
    "Geschäftsführerin",
    "Directeur général adjoint",
    "プロダクトマネージャー",
    "Student",
    "VP, Customer Success & Enablement",
    "—",
)

TOPICS = (
    "Getting more out of your data",
    "Quarterly product update",
    "Security in practice: what auditors ask",
    "Customer story – from spreadsheets to answers",
    "Panel: “Is AI ready for us?”",
    "Einführung für Einsteiger",
    "入門ウェビナー",
)

SESSIONS = ("Live", "Live (Americas)", "On demand", "Q&A with the team", "Workshop")

WAITING = ("waitlisted", "waitlisted", "pending", "denied")
"""Statuses of registrations that are none yet, or will be none."""

SOURCES = ("email", "linkedin", "website", "partner", None, "utm_source=newsletter&utm_id=42")

QUESTIONS = (
    "How many people work in your company?",
    "Which of these do you use today?",
    'Would you say "we are ready"?',
    "What keeps you from starting?",
    "Wie zufrieden sind Sie?",
    "When do you plan to buy?",
    "Rate this session from 1 to 5",
    "Any other tools? (please list)",
)

ANSWERS = (
    "Yes",
    "No",
    "Not sure yet",
    "1-50",
    "51–200",
    "more than 1,000",
    "5",
    "Spreadsheets; e-mail; hope",
    "nächstes Jahr",
    "まだわかりません",
    'We "almost" did\nlast year',
    None,
)

MESSAGES = (
    "Hello from Leeds!",
    "Can't hear anything 🙉",
    "Is there a recording?",
    'She said "of course", but the slide says "no"',
    "First line\nsecond line\r\nthird line",
    "👩‍💻👨‍👩‍👧‍👦 greetings from the whole team 🇳🇴🎉",
    "price?\tdiscount?",
    "Großartig – danke!",
    "Отличный доклад, спасибо",
    "質問があります。後で答えてもらえますか?",
    "شكرا جزيلا",
    "</b><script>alert('hi')</script> & {{merge_field}}",
    "100% agree; \\n is not a newline",
    "https://example.com/?q=a&b=c#frag",
)

REPLIES = (
    "Yes, you get it by e-mail tomorrow.",
    'We call it "the long tail" 🙂',
    "Good question!\nSee slide 12.",
    "Wird nachgereicht.",
    "Please write to us, so that we can look at it together",
)

UTM_SOURCES = ("newsletter", "linkedin", "google", "partner-portal", "Größe & Co")
MEDIA = ("email", "social", "cpc", None)
CAMPAIGNS = ("spring-2026", "q3 launch", "re:invite", "автумн")
SEARCH_TERMS = ("crm webinar", "sync tools", None)
BUDGETS = ("under 10k", "10k to 50k", "over 50k", "", "don't know yet")
CONSENTS = ("yes", "yes", "no", "opted in", "maybe later", None)

DONE = (
    ("question", "What does it cost?", None, None),
    ("question", "Gibt es das auch auf Deutsch?", None, None),
    ("survey", "How useful was it?", "Very", None),
    ("survey", "May we call you?", "Yes, please", None),
    ("survey", "May we call you?", "No", None),
    ("resource", "Price list", None, "https://platform.example/prices.pdf"),
    ("link", "Book a demo", None, "https://platform.example/demo?a=1&b=2"),
    ("rating", None, "4", None),
    ("certificate", "Attendance", None, None),
    ("reaction", "👏", None, None),
)
"""Kind, label, value and address of what attendees do."""
