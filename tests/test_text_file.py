import pytest

from ignite_workflow.data import text_file
from ignite_workflow.data.text_file import open_text
from ignite_workflow.errors import DataError

# ruff: noqa: RUF001 letters of other scripts
WRITTEN = [
    ("a,b\n1,©\n", "latin-1", "cp1252"),
    ("name\nMüller\nJosé\n", "latin-1", "cp1252"),
    ("name\n\u201cso\u201d \u2013 don\u2019t, 5 €, 37°C, m²/s\n", "cp1252", "cp1252"),
    ("имя\nпривет, мир\nтаблица\n", "cp1251", "cp1251"),
    ("x\nΦύλλο\nκαλημέρα\n", "cp1253", "cp1253"),
    ("Čeština je krásná\nžluťoučký kůň\n", "cp1250", "cp1250"),
    ("名前,値\n東京,5\n大阪,7\n" * 3, "cp932", "cp932"),
    ("a,b\n1,ä\n", "utf-16-le", "utf-16-le"),
    ("a,b\n1,ä\n", "utf-16-be", "utf-16-be"),
    ("a,b\n1,ʤ\n", "utf-16", "utf-16"),
    ("a,b\n1,ʤ\n", "utf-32", "utf-32"),
    ("a,b\n1,ʤ\n", "utf-8-sig", "utf-8"),
    ("a,b\n1,2\n\0\0\n", "utf-8", "utf-8"),
]


@pytest.mark.parametrize(("text", "encoding", "found"), WRITTEN)
def test_the_encoding_is_found(tmp_path, text, encoding, found):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))

    file = open_text(path, None)

    assert (file.encoding, b"".join(file.blocks()).decode()) == (found, text)


def test_what_was_guessed_is_said_with_an_example(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("a,b\n1,x\n2,Müller\n".encode("latin-1"))

    (note,) = open_text(path, None).notes
    assert (
        note == "table.csv: not UTF-8, read as cp1252, then it reads '2,Müller'; if that is wrong: data.read.encoding."
    )


def test_letters_of_the_east_are_not_taken_for_signs_of_the_west(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("Łódź,Kraków,Gdańsk\nżółć\n".encode("cp1250"))

    assert open_text(path, None).encoding == "cp1250"


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(bytes(range(128, 256)) * 20)

    with pytest.raises(DataError, match=r"Say what it is: data\.read\.encoding"):
        b"".join(open_text(path, None).blocks())


@pytest.mark.parametrize("letters", ["é", "日本", "цвет"])
def test_a_line_in_another_encoding_than_the_rest_is_named(tmp_path, letters):
    path = tmp_path / "joined.csv"
    path.write_bytes(f"a,{letters}\n".encode() * 30 + "a,é\n".encode("latin-1") + b"a,b\n" * 30)

    with pytest.raises(DataError, match=r"joined\.csv: line 31 holds bytes that are not UTF-8, as the rest is\."):
        open_text(path, None)
    assert open_text(path, "cp1252").encoding == "cp1252"


def test_a_file_that_is_cut_short_inside_a_letter_is_no_other_encoding(tmp_path):
    (tmp_path / "cut.csv").write_bytes(("a,日本\n" * 30).encode()[:-2])

    with pytest.raises(DataError, match="line 30 holds bytes that are not UTF-8"):
        open_text(tmp_path / "cut.csv", None)


@pytest.mark.parametrize("size", [3, 4, 5, 7, 100])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_byte_order_marks_where_files_were_joined_are_no_content(tmp_path, monkeypatch, encoding, size):
    monkeypatch.setattr(text_file, "_BLOCK_BYTES", size)
    path = tmp_path / "table.csv"
    path.write_bytes("\ufeffä,b\n1,x\ufeff\n\ufeffä,b\n\n\ufeff2,y\n".encode(encoding))

    assert b"".join(map(bytes, open_text(path, None).blocks())).decode() == "ä,b\n1,x\ufeff\nä,b\n\n2,y\n"


def test_a_zero_byte_among_text_is_refused_with_its_line(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(b"a,b\n1,x\n2,x\0\n3,x\n")

    with pytest.raises(DataError, match=r"table\.csv: line 3 holds a zero byte, as no text does: the file is damaged"):
        open_text(path, None)
