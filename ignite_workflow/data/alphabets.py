"""The letters that languages are written in, by the encodings that spreadsheets use for them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["LANGUAGES", "SELDOM", "Language"]


@dataclass(frozen=True)
class Language:
    """The letters of a language, or of several, beyond a to z.

    Attributes:
        letters: small ones; ranges of them, such as those of Chinese, with a hyphen.
        doubt: what an encoding has to be better by, to be preferred to those before it.
        never: what does not occur, in small letters.
        alone: no word has letters of a to z too.
        vowels: every longer word has one of these; empty: not so.
        rare: letters that few words have.
        common: letters that make up much of most tables; empty: not known.
        narrow: an older encoding that has all letters but rare ones.
    """

    letters: str
    doubt: float = 0.0
    never: str = ""
    alone: bool = False
    vowels: str = ""
    rare: str = ""
    common: str = ""
    narrow: str = ""


_WESTERN = (
    Language("äöüß"),
    Language("áéíñóúü"),
    Language("àâçéèêëîïôœùûü", never="œ(?![uidsnt])"),
    Language("áâãàçéêíóôõúü", never=r"õ(?!e)|ã(?![oes]|\b)"),
    Language("àèéìòù", never=r"[àèìòù](?=[^\W\d_])"),
    Language("áéëïöüèóçê"),
    Language("åäöé"),
    Language("æøåéôü"),
    Language("äöüõšž", 0.05),
    Language("àçèéíïòóúü", 0.05),
    Language("áðéíóúýþæö", 0.08),
    Language("äöüßáéíñóúàâçèêëîïôœùûãõìòåæø", 0.12),  # names from everywhere
)
_CENTRAL = (
    Language("ąćęłńóśźż", 0.02),
    Language("áčďéěíňóřšťúůýž", 0.02),
    Language("áäčďéíĺľňóôŕšťúýž", 0.02),
    Language("áéíóöőúüű", 0.02),
    Language("ăâîşţ", 0.02),
    Language("čćđšž", 0.02),
)
_TURKISH = (Language("çğıöşüâî\u0307", 0.015),)
_BALTIC = (Language("ąčęėįšųūž", 0.04), Language("āčēģīķļņšūž", 0.04))
_RUSSIAN = "абвгдежзийклмнопрстуфхцчшщъыьэюяё"
_CYRILLIC = tuple(
    Language(letters, doubt, alone=True, vowels="аеёиоуыэюяіїє", rare="фщъэцхшё")
    for letters, doubt in (
        (_RUSSIAN, 0.01),
        ("абвгґдеєжзиіїйклмнопрстуфхцчшщьюя", 0.015),
        ("абвгдђежзијклљмнњопрстћуфхцчџш", 0.02),
        (f"{_RUSSIAN}іў", 0.02),
    )
)
_GREEK = (Language("αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ", 0.02, alone=True, vowels="αεηιουωάέήίόύώ", rare="ψξζβΐΰ"),)
_HEBREW = (Language("אבגדהוזחטיךכלםמןנסעףפץצקרשת", 0.03, alone=True),)
_ARABIC = (Language("ابتثجحخدذرزسشصضطظعغفقكلمنهويةىءآأؤإئپچژگکی", 0.03, alone=True),)
_HAN = "\u4e00-\u9fff\u3000-\u303f"
_CHINESE = (
    Language(
        _HAN,
        0.03,
        narrow="gb2312",
        common="的年月日名称编号数量价格金额期时间地区城市类型性别龄人口一是在有中国大小高度长重单位总计产品公司省县学生成绩不了为业电话",
    ),
)
_TRADITIONAL = (
    Language(
        _HAN,
        0.035,
        narrow="big5",
        common="的年月日名稱編號數量價格金額期時間地區城市類型性別齡人口一是在有中國大小高度長重單位總計產品公司省縣學生成績不了為業電話",
    ),
)
_JAPANESE = (
    Language(
        rf"{_HAN}\u3040-\u30ff",
        0.03,
        narrow="shift_jis",
        common="年月日齢の数量価格名前氏番号区分合計金額時間平均県市都道府いはをにるがでたしてデタトーンスルリクラ",
    ),
)
_KOREAN = (
    Language(
        "\uac00-\ud7a3\u3000-\u303f",
        0.03,
        narrow="euc_kr",
        common="이다는에의을하고지가사기도로한를은아시자대인정보수일리어과원나부국스제상전서주여구년월금액명격량번호남성별키동분간",
    ),
)
LANGUAGES = {
    "cp1252": _WESTERN,
    "cp1250": _CENTRAL,
    "cp1254": _TURKISH,
    "cp1251": _CYRILLIC,
    "cp1253": _GREEK,
    "cp1255": _HEBREW,
    "cp1256": _ARABIC,
    "cp1257": _BALTIC,
    "gb18030": _CHINESE,
    "cp932": _JAPANESE,
    "cp949": _KOREAN,
    "big5": _TRADITIONAL,
    "iso8859-2": _CENTRAL,
    "koi8-r": _CYRILLIC,
    "cp866": _CYRILLIC,
    "mac-roman": _WESTERN,
    "cp850": _WESTERN,
    "cp852": _CENTRAL,
    "iso8859-5": _CYRILLIC,
    "iso8859-7": _GREEK,
    "euc_jp": _JAPANESE,
}
"""The commonest first."""
SELDOM = dict.fromkeys([*LANGUAGES][[*LANGUAGES].index("iso8859-2") :], 0.03)
"""What Windows does not write, and what it has to be better by."""
