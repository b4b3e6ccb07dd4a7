"""The shop's vocabulary: departments, brands, product words, delivery notes. Data only, no drawing.

Texts are awkward on purpose (emoji, Hangul, quotes, newlines, a leading `=`): a real shop's are.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Department:
    """A category: its share of the shelves, price range in won, season by month, and its nouns."""

    name: str
    share: float
    low_won: int
    high_won: int
    season: tuple[float, ...]
    nouns: tuple[str, ...]


_EVEN = (1.0,) * 12
_WINTER = (1.7, 1.4, 1.1, 0.8, 0.7, 0.6, 0.6, 0.6, 0.8, 1.1, 1.6, 1.9)
_SUMMER = (0.5, 0.6, 0.8, 1.0, 1.3, 1.7, 2.0, 1.8, 1.1, 0.7, 0.5, 0.5)
_SPRING = (0.9, 1.0, 1.4, 1.5, 1.4, 1.0, 0.8, 0.8, 1.1, 1.1, 0.9, 0.9)
_GIFTS = (1.6, 1.3, 0.8, 0.8, 1.5, 0.8, 0.8, 0.9, 1.7, 0.9, 0.9, 1.3)

DEPARTMENTS = (
    Department(
        "식품", 0.18, 3_000, 60_000, _EVEN, ("김치", "현미", "참기름", "라면", "국수", "들깨")
    ),
    Department(
        "선물세트", 0.05, 20_000, 180_000, _GIFTS, ("한우 세트", "과일 세트", "홍삼", "한과")
    ),
    Department(
        "Coffee & Tea", 0.08, 6_000, 80_000, _WINTER, ("원두", "Drip Bag", "녹차", "Matcha")
    ),
    Department(
        "Kitchen", 0.12, 5_000, 250_000, _EVEN, ("Pan 28cm", "도마", "Knife", "보온병", "Mug")
    ),
    Department(
        "Home & Living", 0.14, 8_000, 400_000, _SPRING, ("Lamp", "러그", "커튼", "Shelf", "이불")
    ),
    Department("Summer", 0.06, 9_000, 350_000, _SUMMER, ("선풍기", "Parasol", "돗자리", "Ice Box")),
    Department(
        "Heating", 0.05, 15_000, 450_000, _WINTER, ("전기장판", "Heater", "가습기", "수면양말")
    ),
    Department(
        "Beauty",
        0.12,
        5_000,
        120_000,
        _EVEN,
        ("Toner", "선크림", "Serum", "Hand Cream", "마스크팩"),
    ),
    Department("Children's", 0.07, 6_000, 180_000, _GIFTS, ("블록", "Puzzle", "그림책", "인형")),
    Department("Outdoor", 0.06, 12_000, 600_000, _SPRING, ("텐트", "Backpack", "등산화", "Bottle")),
    Department(
        "Electronics", 0.07, 15_000, 900_000, _EVEN, ("Earbuds", "충전기", "Keyboard", "모니터")
    ),
)

BRANDS = (
    "온마루", "Haneul & Co.", "새벽들", "Blue Ondol", "누리상회", "Café Nabi", "O'Dam", "미르공방",
    "Söhn", "달빛", "North Pine", "다온", "Tori Lab", "한결", "“결”", "Sanho", "Ms. Bori", "가람",
    "Lumi+", "해솔", "D&Y", "윤슬", "Moonjar", "푸른솔",
)  # fmt: skip

ADJECTIVES = (
    "", "", "Everyday", "유기농", "Soft", "국산", "Mini", "프리미엄", "Slim", "무향", "Classic",
    "대용량", "Foldable", "저소음", '"The Original"', "손수 만든", "XL", "1+1",
)  # fmt: skip

TAILS = (
    "", "", "", "", "", "", "🎁", "(2개입)", "500g", "☕️", "- 'new'", "🇰🇷", "12\" size", "50% ↓",
    "✨🧡", "[한정판]", "\\ refill",
)  # fmt: skip

# Names that break careless files: spreadsheet formulas, separators, look-alikes of NULL.
ODD_NAMES = (
    "=SALE() 머그컵", "+1 사은품 세트", "-20% 균일가 양말", "@home Lamp", "NULL", "\\N",
    "None 향수",    "콤마, 따옴표\" 그리고 탭\t세트", "👨‍👩‍👧‍👦 Family Puzzle", " leading space",
)  # fmt: skip

DESCRIPTIONS = (
    None,
    "",
    "매일 쓰기 좋은 제품입니다.",
    "Made in small batches.\nShips within two days.",
    "<p>세탁 시 <b>찬물</b> 사용 &amp; 건조기 금지</p>",
    'The "good" one; it\'s the one you keep.',
    "🌱 친환경 소재 · 무료 반품\r\n문의: help@example.com",
    "가나다라마바사아자차카타파하 " * 60,
)

# `{n}` is filled with a number. The last two are an empty text (which is not NULL) and the longest
# note the column holds: 500 characters, 2,000 bytes.
NOTES = (
    "문 앞에 놓아 주세요",
    "문앞에 두고 벨 눌러주세요 🔔",
    "경비실에 맡겨 주세요",
    "공동현관 비밀번호 #{n}*",
    "배송 전 연락 바랍니다 (010-0000-{n})",
    "부재 시 무인택배함 {n}번 📦",
    "Leave it with the neighbour in {n}, please",
    "Don't ring the bell: the baby's asleep 👶💤",
    'Please write "fragile" on the box',
    "1층 현관 왼쪽\n소화전 안에 넣어 주세요",
    "Gate code: {n}\nThen the 2nd door on the left",
    "강아지가 있어요 🐶 조심!",
    "빠른 배송 부탁드려요 🙏🙏",
    "call me; don't text, {n}",
    '=HYPERLINK("x") 아님',
    "C:\\문앞\\{n}",
    "탭\t있는 메모, 쉼표, 세미콜론;",
    "100% 환불 _ 가능? 'yes'",
    "\r\n",
    "감사합니다 ❤️‍🔥",
    "NULL",
    "",
    "📦" * 500,
)

KOREAN_MAIL_NAMES = {
    "김": "kim", "이": "lee", "박": "park", "정": "jung", "최": "choi", "조": "cho", "강": "kang",
    "윤": "yoon", "장": "jang", "임": "lim", "한": "han", "오": "oh", "서": "seo", "신": "shin",
    "권": "kwon", "황": "hwang", "안": "ahn", "송": "song", "류": "ryu", "전": "jeon", "홍": "hong",
    "고": "ko", "문": "moon", "양": "yang", "손": "son", "배": "bae", "백": "baek", "허": "heo",
    "유": "yoo", "남": "nam", "심": "shim", "노": "noh", "하": "ha",
}  # fmt: skip
MAIL_DOMAINS = ("example.com", "example.net", "example.org")
