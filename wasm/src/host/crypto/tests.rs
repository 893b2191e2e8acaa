//! Answers that the standards publish, and what is refused.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digit = |c: u8| (c as char).to_digit(16).unwrap() as u8;
    let hex: Vec<u8> = hex.bytes().filter(|c| !c.is_ascii_whitespace()).collect();
    hex.chunks(2)
        .map(|pair| digit(pair[0]) << 4 | digit(pair[1]))
        .collect()
}

const HASHES: [Hash; 3] = [Hash::Sha256, Hash::Sha384, Hash::Sha512];

fn hashed(hash: Hash, content: &[u8], piece: usize) -> Vec<u8> {
    let mut digester = Digester::hash(hash);
    content
        .chunks(piece)
        .for_each(|piece| digester.update(piece));
    digester.finish().as_ref().to_vec()
}

/// FIPS 180-4's examples.
#[test]
fn hashes_are_those_of_the_standard_however_they_are_fed() {
    let million = vec![b'a'; 1_000_000];
    let cases: [(&[u8], [&str; 3]); 3] = [
        (
            b"",
            [
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fbd51ad2f14898b95b",
                "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e",
            ],
        ),
        (
            b"abc",
            [
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ],
        ),
        (
            &million,
            [
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
                "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985",
                "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31beb009c5c2c49aa2e4eadb217ad8cc09b",
            ],
        ),
    ];
    for (content, expected) in cases {
        for (hash, expected) in HASHES.into_iter().zip(expected) {
            for piece in [1_000, 77, PIECE_BYTES_MAX] {
                assert_eq!(hashed(hash, content, piece), bytes(expected), "{hash:?}");
            }
        }
    }
}

/// RFC 4231, test cases 1 to 4, 6 and 7.
#[test]
fn message_codes_are_those_of_the_standard_and_others_are_told_apart() {
    let counting: Vec<u8> = (1..=25).collect();
    let cases: [(&[u8], &[u8], [&str; 3]); 6] = [
        (&[0x0b; 20], b"Hi There", [
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
        ]),
        (b"Jefe", b"what do ya want for nothing?", [
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
        ]),
        (&[0xaa; 20], &[0xdd; 50], [
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
            "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
            "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807b946a337bee8942674278859e13292fb",
        ]),
        (&counting, &[0xcd; 50], [
            "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
            "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
        ]),
        (&[0xaa; 131], b"Test Using Larger Than Block-Size Key - Hash Key First", [
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
            "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
        ]),
        (
            &[0xaa; 131],
            b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to be hashed before being used by the HMAC algorithm.",
            [
                "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
                "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
                "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58",
            ],
        ),
    ];
    for (key, content, expected) in cases {
        for (hash, expected) in HASHES.into_iter().zip(expected) {
            let mut digester = Digester::code(hash, key).unwrap();
            content.chunks(7).for_each(|piece| digester.update(piece));
            let (code, mut expected) = (digester.finish(), bytes(expected));
            assert_eq!(code.as_ref(), expected, "{hash:?}");
            assert!(code.is(&expected));
            assert!(!code.is(&expected[..expected.len() - 1]) && !code.is(&[]));
            assert!(!code.is(&[&*expected, &[0]].concat()));
            let last = expected.len() - 1;
            expected[last] ^= 1;
            assert!(!code.is(&expected));
        }
    }
}

const PLAIN: &str = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
    1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
const ALSO: &str = "feedfacedeadbeeffeedfacedeadbeefabaddad2";
const NONCE: &str = "cafebabefacedbaddecaf888";
const KEY: &str = "feffe9928665731c6d6a8f9467308308";
const LONG_KEY: &str = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
const ZERO: &str = "00000000000000000000000000000000";
const ZEROS: &str = "0000000000000000000000000000000000000000000000000000000000000000";
const ZERO_NONCE: &str = "000000000000000000000000";

/// The test cases 1, 2, 4, 13, 14 and 16 of the proposal of GCM to NIST: key, nonce, additional data,
/// plain text, what hides it, and the tag.
const GCM: [[&str; 6]; 6] = [
    [
        ZERO,
        ZERO_NONCE,
        "",
        "",
        "",
        "58e2fccefa7e3061367f1d57a4e7455a",
    ],
    [
        ZERO,
        ZERO_NONCE,
        "",
        ZERO,
        "0388dace60b6a392f328c2b971b2fe78",
        "ab6e47d42cec13bdf53a67b21257bddf",
    ],
    [
        KEY,
        NONCE,
        ALSO,
        PLAIN,
        "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e
         21d514b25466931c7d8f6a5aac84aa051ba30b396a0aac973d58e091",
        "5bc94fbc3221a5db94fae95ae7121a47",
    ],
    [
        ZEROS,
        ZERO_NONCE,
        "",
        "",
        "",
        "530f8afbc74536b9a963b4f1c4cb738b",
    ],
    [
        ZEROS,
        ZERO_NONCE,
        "",
        ZERO,
        "cea7403d4d606b6e074ec5d3baf39d18",
        "d0d1c8a799996bf0265b98b5d48ab919",
    ],
    [
        LONG_KEY,
        NONCE,
        ALSO,
        PLAIN,
        "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
         8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662",
        "76fc6ece0f4e1768cddf8853bb2d551b",
    ],
];

#[test]
fn sealing_is_that_of_the_standard_and_opening_gives_back_what_was_sealed() {
    for case in GCM {
        let [key, nonce, also, plain, hidden, tag] = case.map(bytes);
        let sealed = seal(&key, &nonce, &also, &plain).unwrap();
        assert_eq!(sealed, [hidden, tag].concat());
        assert_eq!(open(&key, &nonce, &also, &sealed), Ok(plain));
    }
}

#[test]
fn what_was_changed_on_its_way_is_not_opened() {
    let (key, nonce) = ([7; 32], [1; NONCE_BYTES]);
    let sealed = seal(&key, &nonce, b"to you", b"hello").unwrap();
    for bit in 0..sealed.len() * 8 {
        let mut changed = sealed.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(
            open(&key, &nonce, b"to you", &changed),
            Err(CryptoError::NotAuthentic)
        );
    }
    for cut in 0..sealed.len() {
        assert!(open(&key, &nonce, b"to you", &sealed[..cut]).is_err());
    }
    assert!(open(&key, &nonce, b"to me", &sealed).is_err());
    assert!(open(&key, &[2; NONCE_BYTES], b"to you", &sealed).is_err());
    assert!(open(&[8; 32], &nonce, b"to you", &sealed).is_err());
}

/// RFC 8032, section 7.1, tests 1 to 3.
#[test]
fn signatures_are_those_of_the_standard_and_others_are_told_apart() {
    for (secret, public, message, signature) in [
        (
            "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
             5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
             085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
             18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ] {
        let [secret, public, message, signature] = [secret, public, message, signature].map(bytes);
        assert_eq!(ed25519_public(&secret).unwrap().to_vec(), public);
        assert_eq!(ed25519_sign(&secret, &message).unwrap().to_vec(), signature);
        assert_eq!(ed25519_verify(&public, &message, &signature), Ok(true));
        let mut other = signature.clone();
        other[10] ^= 4;
        for (public, message, signature) in [
            (&public[..], &b"another"[..], &signature[..]),
            (&public, &message, &other),
            (&public, &message, &signature[..63]),
            (&public, &message, b""),
            (&public[..31], &message, &signature),
            (&[0xff; 32], &message, &signature),
        ] {
            assert_eq!(ed25519_verify(public, message, signature), Ok(false));
        }
    }
}

#[test]
fn new_keys_sign_and_differ_and_randomness_is_given_up_to_a_limit() {
    let (one, other) = (ed25519_generate().unwrap(), ed25519_generate().unwrap());
    assert_ne!(one, other);
    let signature = ed25519_sign(&one, b"m").unwrap();
    assert_eq!(
        ed25519_verify(&ed25519_public(&one).unwrap(), b"m", &signature),
        Ok(true)
    );
    assert_eq!(
        ed25519_verify(&ed25519_public(&other).unwrap(), b"m", &signature),
        Ok(false)
    );
    let mut most = vec![0; RANDOM_BYTES_MAX];
    random(&mut most).unwrap();
    assert!(most.iter().filter(|byte| **byte == 0).count() < RANDOM_BYTES_MAX / 64);
    assert!(random(&mut vec![0; RANDOM_BYTES_MAX + 1]).is_err());
    assert_eq!(random(&mut []), Ok(()));
}

#[test]
fn what_is_too_long_or_has_a_wrong_length_is_refused_in_words() {
    let (key, nonce) = ([0; 16], [0; NONCE_BYTES]);
    let most = vec![0; WHOLE_BYTES_MAX];
    let more = vec![0; WHOLE_BYTES_MAX + SEAL_BYTES + 1];
    let sealed = seal(&key, &nonce, &most, &most).unwrap();
    assert_eq!(open(&key, &nonce, &most, &sealed).unwrap(), most);
    let refused = [
        (
            seal(&key[..15], &nonce, b"", b"").err(),
            "16 or 32 bytes, not 15",
        ),
        (
            open(&[0; 24], &nonce, b"", b"").err(),
            "16 or 32 bytes, not 24",
        ),
        (seal(&key, &[0; 16], b"", b"").err(), "12 bytes, not 16"),
        (seal(&key, &nonce, b"", &more).err(), "1048576 is the most"),
        (
            seal(&key, &nonce, &more, b"").err(),
            "additional data of 1048593",
        ),
        (open(&key, &nonce, b"", &more).err(), "1048592 is the most"),
        (ed25519_sign(&[0; 31], b"").err(), "32 bytes, not 31"),
        (ed25519_public(&[0; 64]).err(), "32 bytes, not 64"),
        (ed25519_sign(&[0; 32], &more).err(), "1048576 is the most"),
        (
            ed25519_verify(&[0; 32], &more, b"").err(),
            "1048576 is the most",
        ),
        (
            Digester::code(Hash::Sha256, &more).err(),
            "4096 is the most",
        ),
        (Hash::from_number(3).err(), "SHA-256 (0)"),
    ];
    for (error, words) in refused {
        let text = error.expect(words).to_string();
        assert!(text.contains(words), "{text}");
    }
}
