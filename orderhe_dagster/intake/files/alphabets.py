"""How probable a character is in the languages that shops write. Data and sums; no bytes are read here.

The figures are rough and need be no better: they are only compared with one another, and where two
encodings come out near each other, the person is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, lru_cache
from math import log

KOREAN = frozenset(
    "이다에의는로하을가고지서한은기으년대사시를리도인스일자정나제주어부전보수해여유원성비상라"
    "신소선장모안만물용구공연오세화재아관실동중조생매문미경국회방면과트그물개당계교내운영학위"
    "김박최정강조윤임홍길순영희민수진호현준우은혜서울부산광역시특별남북도천명품호층번출배송요"
    "결제완료무통입금카드취소반환색블랙화이트검파란빨간노란초록크레딧라지폰코드바지셔츠티원피"
    "개입세트택상품옵션타차입니합습까있없것게때저말니야양터마치더와형권단체할인쿠폰포적립"
)
CHINESE = frozenset(
    "的一是不了在人有我他这个们中来上大为和国地到以说时要就出会可也你对生能而子那得于着下自之年"
    "过发后作里用道行所然家种事成方多经么去法学如都同现当没动面起看定天分还进好小部其些主样理心"
    "她本前开但因只从想实日军者意无力它与长把机十民第公此已工使情明性知全三又关点正业外将两高间"
    "由问很最重并物手应战向头文体政美相见被利什二等产或新己制身果加西斯月话合回特代内信表化老给"
    "世位次度门任常先海通教儿原东声提立及比员解水名真论处走义各入几口认条平系气题活尔更别打女变"
    "四神总何电数安少报才结反受目太量再感建务做接必场件计管期市直德资命山金指克许统区保至队形社"
    "便空决治展马科司五基眼书非则听白却界达光放强即像难且权思王象完设式色路记南品住告类求据程北"
    "边死张该交规万取拉格望觉术领共确传师观清今切院让识候带导争运付款订单商店价格数量红蓝黑白"
    "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭罗京沪省市县区镇街号楼室"
)
TRADITIONAL = frozenset(
    "的一是不了在人有我他這個們中來上大為和國地到以說時要就出會可也你對生能而子那得於著下自之年"
    "過發後作里用道行所然家種事成方多經麼去法學如都同現當沒動面起看定天分還進好小部其些主樣理心"
    "付款訂單商店價格數量紅藍黑白台灣北市縣區路街號樓室李王張劉陳楊趙黃周吳徐孫胡朱高林何郭羅"
)
JAPANESE = frozenset(
    "日一国人年大十二本中長出三時行見月後前生五間上東四今金九入学高円子外八六下来気小七山話女北"
    "午百書先名川千水半男西電校語土木聞食車何南万毎白天母火右読友左休父雨会同事自社発者地業方新"
    "場員立開手力問代明動京目通言理体田主題意不作用度強公持野以思家世多正安院心界教文元重近考画"
    "海売知道集別物使品計死特私始朝運終台広住真有口少町料工建空急止送切転研足究楽起着店病質待試"
    "族銀早映親験英医仕去味写字答夜音注帰古歌買悪図週室歩風紙黒花春赤青館屋色走秋夏習駅洋旅服夕"
    "佐藤鈴木高橋伊渡辺山本村加吉松井清林斎県市区郵便番号税込商品注文数量単価価格"
)

LATIN: dict[str, dict[str, str]] = {
    "western": {
        "fr": "ééééééèèààêçôîûùâëïœ",
        "de": "üüüüääääööößßé",
        "es": "óóííáááñññééúü¿¡ºª",
        "pt": "ããççááéíóõêâúàôº",
        "it": "ààèèééùòì",
        "sv": "ääääöööåååé",
        "da": "åååøøøæææé",
        "nl": "éëïöü",
        "is": "áíúéýþðæöó",
        "ca": "àèéíòóúçï·",
        "en": "éé’’–£",
    },
    "central": {
        "pl": "ąćęęęłłłńóóśśźżżż",
        "cs": "áááčččďéééěěííííňóřřšššťúůůýýžž",
        "sk": "áááäčččďéíĺľňóôŕšťúýž",
        "hu": "ááááééééííóóöööőőúüüű",
        "hr": "čččććđšššžž",
        "ro": "ăăăâîîșțşţ",
    },
    "turkish": {"tr": "ğğıııışşçöüüİ"},
    "baltic": {"lt": "ąčęėėėįšųūž", "lv": "āāāčēēģīīķļņšūž", "et": "äääööõõüüšž"},
}
"""The letters beyond ASCII of each language, the frequent ones written more often."""

ALPHABETS = {
    "cyrillic": "абвгдежзийклмнопрстуфхцчшщъыьэюя" * 2 + "ёєіїґ",
    "greek": "αβγδεζηθικλμνξοπρστυφχψως" * 2 + "άέήίόύώ",
    "hebrew": "אבגדהוזחטיךכלםמןנסעףפץצקרשת",
    "arabic": "ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءأإآؤئ",
    "thai": "".join(chr(point) for point in (*range(0xE01, 0xE3B), *range(0xE40, 0xE4F))),
}
CLOSING = frozenset("®™©»’”…°ºª²³½¼!)")
SIGNS = frozenset("£€°®™©«»‘’“”–—…·¿¡²³ºª½¼¾§µ×¥\xa0•„")
_NEVER = log(1e-6)
_GLUED, _MIXED, _ALONE, _CASE, _INSIDE = map(log, (0.03, 0.001, 0.02, 0.01, 0.005))

Score = Callable[[str], float]


def korean(char: str) -> float:
    """How probable the character is in a Korean text (logarithm)."""
    if char in KOREAN:
        return log(0.6 / len(KOREAN))
    if "\uac00" <= char <= "\ud7a3":
        return log(0.36 / 2200) if _lead(char, "euc_kr") else log(0.001 / 8822)
    if "\u4e00" <= char <= "\u9fff" or "\uf900" <= char <= "\ufaff":
        return log(0.004 / 4888)
    return log(0.03 / 700) if _is_sign(char) else _NEVER * 1.3


def chinese(char: str) -> float:
    """The same of simplified Chinese."""
    if char in CHINESE:
        return log(0.5 / len(CHINESE))
    lead = _lead(char, "gb2312")
    if lead >= 0xB0:
        return log(0.42 / 3555) if lead <= 0xD7 else log(0.02 / 3008)
    if "\u4e00" <= char <= "\u9fff":
        return log(0.002 / 14000)
    return log(0.04 / 700) if _is_sign(char) else _NEVER * 1.5


def traditional(char: str) -> float:
    """The same of traditional Chinese."""
    if char in TRADITIONAL:
        return log(0.4 / len(TRADITIONAL))
    lead = _lead(char, "big5")
    if lead >= 0xA4:
        return log(0.5 / 5401) if lead <= 0xC6 else log(0.02 / 7652)
    return log(0.04 / 700) if _is_sign(char) else _NEVER * 1.5


def japanese(char: str) -> float:
    """The same of Japanese."""
    if "\u3041" <= char <= "\u309f":
        return log(0.4 / 83)
    if "\u30a1" <= char <= "\u30ff":
        return log(0.25 / 90)
    if char in JAPANESE:
        return log(0.18 / len(JAPANESE))
    if "\uff61" <= char <= "\uff9f":
        return log(0.06 / 63)
    lead = _lead(char, "shift_jis")
    if lead >= 0x88:
        return log(0.14 / 2965) if lead <= 0x97 else log(0.004 / 3390)
    return log(0.04 / 700) if _is_sign(char) else _NEVER * 1.5


EASTERN: dict[str, Score] = {
    "korean": korean,
    "chinese": chinese,
    "traditional": traditional,
    "japanese": japanese,
}


def eastern_word(text: str, score: Score) -> float:
    """How probable a word is in a language that is not written in letters."""
    total = 0.0
    for before, char, after in _beside(text):
        if char.isascii():
            continue
        total += score(char)
        if not _is_sign(char) and (_is_small(before) or _is_small(after)):
            total += _GLUED
    return total


def lettered_word(text: str, weights: dict[str, float], *, latin: bool) -> float:
    """How probable a word is in a language of letters; `weights`: of those beyond ASCII."""
    total, letters = 0.0, 0
    for before, char, after in _beside(text):
        if char.isascii():
            letters += char.isalpha()
            continue
        total += weights.get(char, _NEVER)
        if char in SIGNS:
            inside = before.isalpha() and after.isalpha() and char not in "’‘·–—"
            total += _INSIDE if inside else 0.0
        elif char.isupper() and before.islower():
            total += _CASE
        elif char.isalpha() and not latin and (_is_ascii_letter(before) or _is_ascii_letter(after)):
            total += _MIXED
    beyond = sum(char.isalpha() and not char.isascii() for char in text)
    if latin and beyond and not letters:
        total += _ALONE * min(beyond, 2)
    return total


@cache
def weights_of(group: str) -> tuple[dict[str, float], ...]:
    """The weights of each language of a group of LATIN, or of an alphabet of ALPHABETS."""
    if group in ALPHABETS:
        return (_weights(ALPHABETS[group]),)
    return tuple(_weights(letters) for letters in LATIN[group].values())


def _weights(letters: str) -> dict[str, float]:
    counts: dict[str, float] = dict.fromkeys(SIGNS, 0.02 * len(letters))
    for letter in letters:
        counts[letter] = counts.get(letter, 0.0) + 1.0
        big = letter.upper()
        if len(big) == 1 and big != letter:
            counts[big] = counts.get(big, 0.0) + 0.1
    total = sum(counts.values())
    return {char: log(count / total) for char, count in counts.items()}


def _beside(text: str) -> list[tuple[str, str, str]]:
    """Each character with the one before and the one behind it."""
    padded = f" {text} "
    return list(zip(padded, text, padded[2:], strict=False))


def _is_small(char: str) -> bool:
    return "a" <= char <= "z"


def _is_ascii_letter(char: str) -> bool:
    return char.isascii() and char.isalpha()


def _is_sign(char: str) -> bool:
    """Punctuation, units, arrows and full-width forms, as all East Asian sets have them."""
    return (
        "\u3000" <= char <= "\u303f"
        or "\uff01" <= char <= "\uff60"
        or "\u2010" <= char <= "\u2642"
        or "\u3200" <= char <= "\u33ff"
        or char in SIGNS
        or char == "\uffe5"
    )


@lru_cache(maxsize=8192)
def _lead(char: str, encoding: str) -> int:
    """The first byte of the character in an encoding; 0: it is not in it."""
    try:
        return char.encode(encoding)[0]
    except UnicodeEncodeError:
        return 0
