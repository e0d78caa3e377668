"""Sealing: what opens, and what must not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from facerec.errors import MasterKeyError, RecordDamagedError
from facerec.gallery.encryption.master_key import KeyText, MasterKeys
from facerec.gallery.encryption.vault import OVERHEAD_BYTES, Vault, open_sealed, seal

KEY = bytes(range(32))
OTHER = bytes(32)


def vault(keys: str = KEY.hex(), home: str = "h") -> Vault:
    source = KeyText(keys, "the test")
    return Vault(home, source, source.load())


@given(st.binary(max_size=300), st.lists(st.text(max_size=5), max_size=3))
def test_what_was_sealed_opens_in_its_place(plain: bytes, context: list[str]) -> None:
    sealed = seal(KEY, plain, *context)
    assert len(sealed) == len(plain) + OVERHEAD_BYTES
    assert open_sealed(KEY, sealed, *context) == plain
    assert seal(KEY, plain, *context) != sealed  # a nonce is never used again


@given(st.data())
def test_a_sealed_value_that_was_changed_anywhere_does_not_open(data: st.DataObject) -> None:
    sealed = bytearray(seal(KEY, b"a template", "profile", "ada"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))
    with pytest.raises(RecordDamagedError):
        open_sealed(KEY, bytes(sealed), "profile", "ada")


@pytest.mark.parametrize(
    "context", [("profile", "eve"), ("ada", "profile"), ("profile",), ("profilea", "da"), ()]
)
def test_a_sealed_value_does_not_open_in_another_place(context: tuple[str, ...]) -> None:
    sealed = seal(KEY, b"a template", "profile", "ada")
    with pytest.raises(RecordDamagedError, match="another's place"):
        open_sealed(KEY, sealed, *context)


@pytest.mark.parametrize("sealed", [b"", b"short", bytes(12), bytes(27)])
def test_what_is_too_short_to_be_sealed_does_not_open(sealed: bytes) -> None:
    with pytest.raises(RecordDamagedError):
        open_sealed(KEY, sealed, "profile")


def test_aes_gcm_is_the_standard_one() -> None:
    """Test case 16 of the GCM specification (McGrew and Viega, 2005), opened by ours."""
    key = bytes.fromhex("feffe9928665731c6d6a8f9467308308" * 2)
    nonce = bytes.fromhex("cafebabefacedbaddecaf888")
    plain = bytes.fromhex(
        "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
        "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
    )
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    sealed = nonce + AESGCM(key).encrypt(nonce, plain, b"facerec 1 7:profile")
    assert sealed[12:].hex().startswith("522dc1f099567d07f47f37a32a84427d")
    assert open_sealed(key, sealed, "profile") == plain


def test_a_data_key_opens_for_its_owner_alone() -> None:
    key, sealed = vault().new_key("ada")
    assert vault().unwrap(sealed, "ada") == key
    with pytest.raises(RecordDamagedError):
        vault().unwrap(sealed, "eve")
    with pytest.raises(RecordDamagedError):
        vault(home="another").unwrap(sealed, "ada")
    with pytest.raises(MasterKeyError, match="needs the master key"):
        vault(OTHER.hex()).unwrap(sealed, "ada")


def test_tags_are_equal_for_equal_texts_of_one_purpose_and_home() -> None:
    first, second = vault(), vault()
    first.use_tag_key(KEY)
    second.use_tag_key(OTHER)
    assert first.tag("name", "Ada") == first.tag("name", "Ada")
    tags = {first.tag("name", "Ada"), first.tag("name", "Eve"), first.tag("id", "Ada")}
    assert len(tags | {second.tag("name", "Ada")}) == 4
    with pytest.raises(MasterKeyError):
        vault().tag("name", "Ada")


def test_keys_may_be_written_in_two_ways_with_remarks() -> None:
    keys = MasterKeys.parse(
        f"# new\n{OTHER.hex()}\n{'AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8='}", ""
    )
    assert keys.keys == (OTHER, KEY)
    assert MasterKeys.parse(keys.text(), "") == keys
    assert keys.find(keys.current_id) == OTHER
    assert keys.find("0" * 16) is None


@pytest.mark.parametrize("text", ["", "  \n# only a remark", "secret", "ab" * 31, "AAAA", "é" * 64])
def test_what_is_no_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(MasterKeyError, match=r"FACEREC_X.*64 hexadecimal") as raised:
        MasterKeys.parse(text, "FACEREC_X")
    assert text.strip() == "" or text not in str(raised.value)


def test_keys_are_not_printed() -> None:
    keys = MasterKeys((KEY,))
    source = KeyText(KEY.hex(), "x")
    for shown in (repr(keys), str(keys), repr(source)):
        assert KEY.hex() not in shown
        assert repr(KEY) not in shown
