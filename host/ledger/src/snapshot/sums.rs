//! Checksums of a snapshot's files, so that a bit that has changed on the disk is found before it is scored.
//!
//! `snapshot.sums` has a line per file: its CRC-32 in hexadecimal, a blank, its name.

use super::SnapshotError;
use super::files::remove;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

const NAME: &str = "snapshot.sums";
/// Bytes that are read at a time.
const PIECE: usize = 1 << 20;

/// The checksums by file.
pub(super) struct Sums(BTreeMap<String, u32>);

impl Sums {
    /// The checksums of these files.
    pub(super) fn new(files: impl IntoIterator<Item = (String, u32)>) -> Self {
        Self(files.into_iter().collect())
    }

    /// Writes them.
    pub(super) fn write(&self, dir: &Path) -> Result<(), SnapshotError> {
        let lines: String = self.0.iter().map(|(name, sum)| format!("{sum:08x} {name}\n")).collect();
        let path = dir.join(NAME);
        fs::write(&path, lines).map_err(SnapshotError::io(&path))
    }

    /// Reads them; if a digest is given, only those that it is of.
    pub(super) fn read(dir: &Path, digest: Option<&str>) -> Result<Self, SnapshotError> {
        let path = dir.join(NAME);
        let text = fs::read_to_string(&path).map_err(SnapshotError::io(&path))?;
        if digest.is_some_and(|digest| hex::encode(Sha256::digest(&text)) != digest) {
            return Err(SnapshotError::damaged(&path, "it is of another snapshot than was asked for"));
        }
        let line = |line: &str| {
            let (sum, name) = line.split_once(' ')?;
            Some((name.to_owned(), u32::from_str_radix(sum, 16).ok()?))
        };
        let sums: Option<BTreeMap<String, u32>> = text.lines().map(line).collect();
        sums.map(Self).ok_or_else(|| SnapshotError::damaged(&path, "a line is no checksum and name"))
    }

    /// Compares an open file with its checksum.
    pub(super) fn check(&self, file: &File, path: &Path) -> Result<(), SnapshotError> {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        match self.0.get(name) {
            Some(known) => check(file, path, *known),
            None => Err(SnapshotError::damaged(path, format!("{NAME} does not have its checksum"))),
        }
    }
}

/// The SHA-256, in lower-case hexadecimal, of the checksums in a folder, and so of all that they are of.
pub(super) fn digest(dir: &Path) -> Result<String, SnapshotError> {
    let path = dir.join(NAME);
    Ok(hex::encode(Sha256::digest(fs::read(&path).map_err(SnapshotError::io(&path))?)))
}

/// Compares an open file with a checksum.
pub(super) fn check(file: &File, path: &Path, known: u32) -> Result<(), SnapshotError> {
    match sum(file, path)? == known {
        true => Ok(()),
        false => Err(SnapshotError::damaged(path, "its checksum is another")),
    }
}

fn sum(file: &File, path: &Path) -> Result<u32, SnapshotError> {
    let mut sum = crc32fast::Hasher::new();
    let (mut piece, mut at) = (vec![0; PIECE], 0);
    loop {
        match file.read_at(&mut piece, at).map_err(SnapshotError::io(path))? {
            0 => return Ok(sum.finalize()),
            length => {
                sum.update(&piece[..length]);
                at += length as u64;
            }
        }
    }
}

/// A file that is summed up while it is written.
pub(super) struct SummedFile {
    file: File,
    sum: crc32fast::Hasher,
}

impl SummedFile {
    /// Begins a file, replacing an old one.
    pub(super) fn create(path: &Path) -> Result<Self, SnapshotError> {
        // What is open of an old one stays as it is.
        remove(path)?;
        let file = File::create_new(path).map_err(SnapshotError::io(path))?;
        Ok(Self { file, sum: crc32fast::Hasher::new() })
    }

    /// The checksum of what was written.
    pub(super) fn sum(self) -> u32 {
        self.sum.finalize()
    }
}

impl Write for SummedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = self.file.write(bytes)?;
        self.sum.update(&bytes[..length]);
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use crate::snapshot::{Snapshot, SnapshotError, SnapshotRequest};
    use crate::{Ledger, NewRow, SampledBlock, Vector};
    use half::f16;
    use mantis_config::Block;
    use mantis_plugin_api::History as _;
    use std::fs;
    use std::path::Path;

    /// Hotkeys, prices and numbers, bit by bit.
    type Content = (Vec<String>, Vec<u64>, Vec<u16>);

    /// All that a worker reads.
    fn read(dir: &Path) -> Result<Content, SnapshotError> {
        let snapshot = Snapshot::open_checked(dir)?;
        let market = snapshot.market()?;
        let prices = market.prices.iter().map(|price| price.to_bits()).collect();
        let numbers = (0..snapshot.hotkeys().len()).flat_map(|miner| snapshot.miner(miner).unwrap());
        Ok((snapshot.hotkeys().to_vec(), prices, numbers.map(f16::to_bits).collect()))
    }

    #[test]
    fn a_bit_that_flips_in_any_file_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        for block in (100..1100).step_by(5) {
            let vector = Vector::from(vec![f16::from_f32(block as f32 / 1000.0); 2]);
            let row = NewRow {
                ticker: "A".into(),
                dim: 2,
                blocks_ahead: 300,
                price: Some(block as f64),
                price_data: None,
                submissions: vec![("5A".into(), vector.clone()), ("5B".into(), vector)],
            };
            let block = Block(block);
            ledger.append(&SampledBlock { block, sidx: block.sidx(5), rows: vec![row] }).unwrap();
        }
        let folder = dir.path().join("snapshot");
        let request = SnapshotRequest {
            ticker: "A".into(),
            storage_dim: 2,
            sample_every: 5,
            ..SnapshotRequest::default()
        };
        Snapshot::build_in_runs(&ledger, &request, &folder, 70).unwrap();
        let sound = read(&folder).unwrap();
        let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        assert_eq!(files.len(), 6, "{files:?}");
        let mut refused = 0;
        for i in 0..1000_u64 {
            let path = &files[i as usize % files.len()];
            let bytes = fs::read(path).unwrap();
            let at = (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (8 * bytes.len() as u64)) as usize;
            let mut flipped = bytes.clone();
            flipped[at / 8] ^= 1 << (at % 8);
            fs::write(path, &flipped).unwrap();
            match read(&folder) {
                Ok(found) => assert!(found == sound, "{}: bit {at}", path.display()),
                Err(_) => refused += 1,
            }
            fs::write(path, &bytes).unwrap();
        }
        // Hexadecimal digits have two forms.
        assert!(refused > 950, "{refused}");
        assert!(read(&folder).unwrap() == sound);
    }

    #[test]
    fn only_the_snapshot_that_was_meant_is_opened() {
        let dir = tempfile::tempdir().unwrap();
        let mut ledger = Ledger::open(dir.path().join("a.db")).unwrap();
        let folder = dir.path().join("snapshot");
        let request = SnapshotRequest {
            ticker: "A".into(),
            storage_dim: 1,
            sample_every: 5,
            ..SnapshotRequest::default()
        };
        let mut built = |block: i64| {
            let row = NewRow {
                ticker: "A".into(),
                dim: 1,
                blocks_ahead: 300,
                price: Some(block as f64),
                price_data: None,
                submissions: vec![("5A".into(), Vector::from(vec![f16::ONE]))],
            };
            let block = Block(block);
            ledger.append(&SampledBlock { block, sidx: block.sidx(5), rows: vec![row] }).unwrap();
            Snapshot::build(&ledger, &request, &folder).unwrap();
            Snapshot::digest(&folder).unwrap()
        };
        let (old, new) = (built(100), built(105));
        assert_ne!(old, new);
        assert!(Snapshot::open_exactly(&folder, &new).is_ok());
        let error = Snapshot::open_exactly(&folder, &old).unwrap_err().to_string();
        assert!(error.contains("of another snapshot"), "{error}");
        // As a folder that is still being copied: every file cut short, and every file missing.
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            assert!(Snapshot::open_exactly(&folder, &new).is_err(), "{}", path.display());
            fs::remove_file(&path).unwrap();
            assert!(Snapshot::open_exactly(&folder, &new).is_err(), "{}", path.display());
            fs::write(&path, bytes).unwrap();
        }
        assert!(Snapshot::open_exactly(&folder, &new).is_ok());
    }
}
