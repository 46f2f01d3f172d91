# ruff: noqa: RUF001
import pytest

from ignite_workflow.config import ReadConfig
from ignite_workflow.data.likely_encoding import likeliest_encoding
from ignite_workflow.data.tables import open_table

HEADERS = {
    "cp1252": [
        *(
            "Größe",
            "Fläche m²",
            "Länge µm",
            "Fußgänger",
            "GRÖßE",
            "Übergröße",
            "Descrição",
            "Situação;Operação",
            "SITUAÇÃO",
        ),
        *("Año", "Piñón", "Nº;1ª", "créée", "Coût (€)", "Œuvre", "naïve", "määrä", "Ångström", "één", "£ Price"),
        *("SITUAÇÃO", "Ø", "Köln – Bonn", "“quoted” it’s 50 %…", "25 °C ± 3"),
    ],
    "cp1250": [
        "Příjmení",
        "wartość",
        "źródło",
        "Łódź",
        "Město",
        "časť",
        "Számla összeg;Győr",
        "Iaşi;Judeţul;în",
    ],
    "cp1251": [
        "Возраст",
        "Имя;Цена",
        "ВОЗРАСТ",
        "дата",
        "Ціна",
        "Населення;Область",
        "Година;Име",
        "Сумма, руб.;Id № 5",
    ],
    "cp1253": ["Ηλικία", "ΕΤΟΣ", "Τιμή;Ποσότητα"],
    "cp1254": ["Yaş", "İsim", "Doğum", "Çalışan", "Ürün adı;Müşteri"],
    "cp1255": ["גיל", "מחיר;כמות"],
    "cp1256": ["العمر", "السعر;الكمية"],
    "cp1257": ["Vilnius;Klaipėda;Šiauliai;Panevėžys;Įmonė;Mažeikių", "Rīga;Jūrmala;Ķekava;Liepāja;Cēsis;Ventspils ņ"],
    "shift_jis": ["年齢", "価格,数量", "データ", "東京都;大阪府;北海道"],
    "gb18030": ["年龄", "价格,数量", "城市;人口", "产品名称"],
    "euc_kr": ["나이", "가격", "이름;수량", "매출액"],
    "big5": ["年齡", "價格", "城市;人口"],
    "koi8-r": ["Возраст", "Имя;Цена"],
    "cp866": ["Возраст", "Имя;Цена"],
    "mac_roman": ["Größe", "Prénom", "Descrição"],
    "cp850": ["Größe", "Prénom"],
    "iso8859-2": ["wartość", "Łódź"],
    "euc_jp": ["データ"],
}


@pytest.mark.parametrize(("encoding", "text"), [(name, text) for name, texts in HEADERS.items() for text in texts])
def test_a_header_tells_its_encoding(encoding, text):
    data = f"y;{text}\n1;2\n".encode(encoding)

    found = likeliest_encoding(data)

    assert found is not None
    assert data.decode(found) == f"y;{text}\n1;2\n"


def test_names_from_everywhere_are_those_of_the_west():
    data = "Müller\nMuñoz\nFrançois\nGonçalves\nJørgensen\nÅsa\nZoë\nCéline\nBjörk\nPeña\nSão\n".encode("cp1252")

    assert likeliest_encoding(data) == "cp1252"


def test_a_table_with_a_foreign_header_and_numbers_is_read(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("Возраст;Цена\n1;2\n3;4\n".encode("cp1251"))

    table = open_table(str(path), ReadConfig())

    assert list(table.columns) == ["Возраст", "Цена"]
    assert "read as cp1251, then it reads 'Возраст;Цена'" in table.notes[0]


def test_bytes_of_no_language_are_no_encoding_of_one():
    assert likeliest_encoding(bytes(range(128, 256)) * 20) is None
