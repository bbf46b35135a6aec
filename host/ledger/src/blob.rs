//! The `embeddings` blob: a JSON list of hotkeys, a zero byte, then little-endian numbers hotkey by hotkey: half floats, or
//! floats of single precision. Its length tells which.

use super::Vector;
use mantis_plugin_api::Storage;

/// The vectors of one row.
#[derive(Clone, Copy, Debug)]
pub struct Submissions<'a> {
    names: Names<'a>,
    /// All vectors, one after the other.
    numbers: &'a [u8],
    /// Bytes per vector; 0 only where there is no vector.
    stride: usize,
    storage: Storage,
}

#[derive(Clone, Copy, Debug)]
enum Names<'a> {
    /// Places in the blob's own text.
    Plain(&'a str, &'a [(u32, u32)]),
    /// Names that had to be decoded.
    Owned(&'a [String]),
}

impl<'a> Submissions<'a> {
    /// No vectors.
    pub(super) const NONE: Self =
        Self { names: Names::Owned(&[]), numbers: &[], stride: 0, storage: Storage::F16 };

    /// How many vectors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.names {
            Names::Plain(_, spans) => spans.len(),
            Names::Owned(names) => names.len(),
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether any number of any vector is other than zero (of either sign).
    #[must_use]
    pub fn any_nonzero(&self) -> bool {
        self.numbers.chunks(256).any(|numbers| is_nonzero(numbers, self.storage))
    }

    /// How the numbers are stored.
    #[must_use]
    pub fn storage(&self) -> Storage {
        self.storage
    }

    /// Each hotkey with its vector: `storage_dim` little-endian numbers, as [`Submissions::storage`] says.
    pub fn iter(&self) -> SubmissionsIter<'a> {
        SubmissionsIter { of: *self, next: 0 }
    }
}

impl<'a> IntoIterator for Submissions<'a> {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = SubmissionsIter<'a>;

    fn into_iter(self) -> SubmissionsIter<'a> {
        self.iter()
    }
}

/// See [`Submissions::iter`].
#[derive(Clone, Debug)]
pub struct SubmissionsIter<'a> {
    of: Submissions<'a>,
    next: usize,
}

impl<'a> Iterator for SubmissionsIter<'a> {
    type Item = (&'a str, &'a [u8]);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        let at = self.next;
        let name = match self.of.names {
            Names::Plain(text, spans) => {
                let (from, to) = *spans.get(at)?;
                text.get(from as usize..to as usize)?
            }
            Names::Owned(names) => names.get(at)?.as_str(),
        };
        self.next = at + 1;
        let from = at * self.of.stride;
        Some((name, self.of.numbers.get(from..from + self.of.stride)?))
    }
}

/// Whether little-endian numbers hold anything but zeros (of either sign).
#[must_use]
pub(crate) fn is_nonzero(numbers: &[u8], storage: Storage) -> bool {
    let any = match storage {
        Storage::F16 => numbers.chunks_exact(2).fold(0, |any, b| any | b[0] | (b[1] & 0x7f)),
        Storage::F32 => numbers.chunks_exact(4).fold(0, |any, b| any | b[0] | b[1] | b[2] | (b[3] & 0x7f)),
    };
    any != 0
}

/// A blob that cannot be used, as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlobError;

/// How long the vectors of a blob may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Length {
    /// So many numbers, of either precision.
    Exact(usize),
    /// As many half floats as the blob's length says; where that is so many numbers in single precision, it is those.
    Any(Option<usize>),
}

impl Length {
    /// So many numbers, or as many as there are.
    fn expected(self) -> Option<usize> {
        match self {
            Self::Exact(dim) => Some(dim),
            Self::Any(dim) => dim,
        }
    }
}

/// Reads blobs; keeps its buffers from one to the next.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    spans: Vec<(u32, u32)>,
    owned: Vec<String>,
}

impl Decoder {
    /// Reads one blob.
    pub(super) fn decode<'a>(
        &'a mut self,
        blob: &'a [u8],
        length: Length,
    ) -> Result<Submissions<'a>, BlobError> {
        self.spans.clear();
        self.owned.clear();
        if blob.is_empty() {
            return Ok(Submissions::NONE);
        }
        let end = memchr::memchr(0, blob).ok_or(BlobError)?;
        let (json, numbers) = (&blob[..end], &blob[end + 1..]);
        let names = match plain_text(json).filter(|text| plain_list(text, &mut self.spans)) {
            Some(text) => Names::Plain(text, &self.spans),
            None => {
                self.owned = serde_json::from_slice(json).map_err(|_| BlobError)?;
                Names::Owned(&self.owned)
            }
        };
        let mut found = Submissions { names, numbers, stride: 0, storage: Storage::F16 };
        let is_single =
            |dim: usize| Some(numbers.len()) == found.len().checked_mul(dim * Storage::F32.bytes());
        if !found.is_empty() && length.expected().is_some_and(|dim| dim > 0 && is_single(dim)) {
            found.storage = Storage::F32;
        }
        found.stride = match (length, found.len()) {
            (Length::Exact(dim), _) => dim * found.storage.bytes(),
            (Length::Any(_), 0) => 0,
            (Length::Any(_), n) => numbers.len() / n,
        };
        let fits =
            found.len().checked_mul(found.stride) == Some(numbers.len()) && found.stride.is_multiple_of(2);
        if fits { Ok(found) } else { Err(BlobError) }
    }
}

/// The text, if it is printable ASCII only: then a quoted name holds what it shows, unless it holds a
/// backslash.
fn plain_text(json: &[u8]) -> Option<&str> {
    let odd = json.iter().fold(false, |odd, b| odd | !(0x20..0x7f).contains(b));
    if odd { None } else { std::str::from_utf8(json).ok() }
}

/// Finds the names of `["..", ".."]`; false for anything that is not such a plain list.
fn plain_list(text: &str, spans: &mut Vec<(u32, u32)>) -> bool {
    let bytes = text.as_bytes();
    if u32::try_from(bytes.len()).is_err() || bytes.first() != Some(&b'[') || bytes.last() != Some(&b']') {
        return false;
    }
    let mut at = 1;
    if bytes[at..] == *b"]" {
        return true;
    }
    loop {
        if bytes.get(at) != Some(&b'"') {
            return false;
        }
        let from = at + 1;
        let Some(len) = memchr::memchr2(b'"', b'\\', &bytes[from..]) else { return false };
        let to = from + len;
        if bytes[to] == b'\\' {
            return false;
        }
        spans.push((from as u32, to as u32));
        at = match &bytes[to + 1..] {
            [b',', b' ', ..] => to + 3,
            [b',', ..] => to + 2,
            [b']'] => return true,
            _ => return false,
        };
    }
}

/// Writes the list of hotkeys and the blob, byte by byte as the network does. `vectors` are of one length and one precision,
/// sorted by hotkey, none all zero.
pub(super) fn encode(vectors: &[(&str, &Vector)]) -> (String, Vec<u8>) {
    let mut json = String::with_capacity(2 + vectors.iter().map(|(name, _)| name.len() + 4).sum::<usize>());
    json.push('[');
    for (name, _) in vectors {
        if json.len() > 1 {
            json.push_str(", ");
        }
        if name.bytes().all(|b| b.is_ascii_alphanumeric()) {
            json.extend(["\"", name, "\""]);
        } else {
            json.push_str(&serde_json::Value::from(*name).to_string());
        }
    }
    json.push(']');
    if vectors.is_empty() {
        return (json, Vec::new());
    }
    let numbers = vectors.iter().map(|(_, vector)| vector.len() * vector.storage().bytes()).sum::<usize>();
    let mut blob = Vec::with_capacity(json.len() + 1 + numbers);
    blob.extend_from_slice(json.as_bytes());
    blob.push(0);
    vectors.iter().for_each(|(_, vector)| vector.write(&mut blob));
    (json, blob)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_names(blob: &[u8], dim: usize) -> Result<Vec<String>, BlobError> {
        let mut decoder = Decoder::default();
        let found = decoder.decode(blob, Length::Exact(dim))?;
        Ok(found.iter().map(|(name, _)| name.to_string()).collect())
    }

    #[test]
    fn reads_what_python_writes() {
        let blob = b"[\"5A\", \"5B\"]\0\x00\x3c\x00\xbc";
        let mut decoder = Decoder::default();
        let found: Vec<_> = decoder.decode(blob, Length::Exact(1)).unwrap().iter().collect();
        assert_eq!(found, [("5A", &b"\x00\x3c"[..]), ("5B", &b"\x00\xbc"[..])]);
        assert_eq!(decoder.decode(b"", Length::Exact(1)).unwrap().len(), 0);
        assert_eq!(decoder.decode(b"[]\0", Length::Exact(1)).unwrap().len(), 0);
    }

    #[test]
    fn refuses_the_whole_blob() {
        for bad in [
            &b"[\"5A\"]\0\x00"[..],
            b"[\"5A\"]\0\x00\x3c\x00",
            b"[\"5A\"]\0",
            b"[\"5A\"]",
            b"[\"5A\"\0\x00\x3c",
            b"[\"5A\",]\0\x00\x3c",
            b"[\"5A\"]]\0\x00\x3c",
            b"[5]\0\x00\x3c",
            b"[\"5\\A\"]\0\x00\x3c",
            b"[\"\x01\"]\0\x00\x3c",
            b"[\"\xff\"]\0\x00\x3c",
            b"[\0\x00\x3c",
            b"\0\x00\x3c",
            b"[]\0\x00\x3c",
        ] {
            assert_eq!(read_names(bad, 1), Err(BlobError), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn reads_any_json_list_of_strings() {
        assert_eq!(
            read_names("[ \"a\\n\" ,\"ü\"]\0\0\0\0\0".as_bytes(), 1),
            Ok(vec!["a\n".into(), "ü".into()])
        );
    }

    #[test]
    fn zero_is_zero_in_either_sign() {
        assert!(!is_nonzero(&[0, 0x80, 0, 0], Storage::F16));
        assert!(is_nonzero(&[0, 0x80, 1, 0], Storage::F16));
        assert!(is_nonzero(&[0, 1], Storage::F16));
        assert!(is_nonzero(&[0, 0x80, 0, 0], Storage::F32));
        assert!(!is_nonzero(&[0, 0, 0, 0x80, 0, 0, 0, 0], Storage::F32));
    }

    #[test]
    fn the_length_tells_the_precision() {
        let blob = |bytes: usize| [&b"[\"5A\", \"5B\"]\0"[..], &vec![1; bytes]].concat();
        let mut decoder = Decoder::default();
        let mut precision =
            |bytes: usize| decoder.decode(&blob(bytes), Length::Exact(3)).map(|found| found.storage());
        assert_eq!(precision(12), Ok(Storage::F16));
        assert_eq!(precision(24), Ok(Storage::F32));
        assert_eq!(
            (precision(18), precision(48), precision(0)),
            (Err(BlobError), Err(BlobError), Err(BlobError))
        );
        // Nobody: no numbers of either kind.
        assert_eq!(decoder.decode(b"[]\0", Length::Exact(3)).unwrap().storage(), Storage::F16);
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(json in "[\\[\\]\"a5, \\\\u0ü]{0,12}", n in 0_usize..4) {
            let mut blob = json.clone().into_bytes();
            blob.push(0);
            blob.resize(blob.len() + 4 * n, 7);
            let slow = serde_json::from_str::<Vec<String>>(&json).ok().filter(|x| x.len() == n).ok_or(BlobError);
            prop_assert_eq!(read_names(&blob, 2), slow);
        }

        #[test]
        fn never_panics(blob in proptest::collection::vec(any::<u8>(), 0..40), dim in 0_usize..3) {
            let _ = read_names(&blob, dim);
            let _ = Decoder::default().decode(&blob, Length::Any(None)).map(|found| found.iter().count());
        }

        #[test]
        fn round_trip(
            names in proptest::collection::btree_set("[!-~ü\"\\\\]{0,8}", 0..6), dim in 1_usize..4, single: bool,
        ) {
            let storage = if single { Storage::F32 } else { Storage::F16 };
            let vector = Vector::new(&vec![1.0; dim], storage);
            let vectors: Vec<(&str, &Vector)> = names.iter().map(|x| (x.as_str(), &vector)).collect();
            let (_, blob) = encode(&vectors);
            prop_assert_eq!(read_names(&blob, dim).unwrap(), names.iter().cloned().collect::<Vec<_>>());
            let mut decoder = Decoder::default();
            for (_, bytes) in decoder.decode(&blob, Length::Exact(dim)).unwrap() {
                prop_assert_eq!(&Vector::from_bytes(bytes, storage), &vector);
            }
        }
    }
}
