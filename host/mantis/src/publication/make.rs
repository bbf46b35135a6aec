//! Making the parts that are new or changed, and the list of all of them.

use super::error::PublicationError;
use super::state::State;
use crate::files::replace;
use mantis_config::{Block, Config};
use mantis_ledger::Ledger;
use mantis_ledger::published::{Day, PackedFile, PartContents, PartHead};
use mantis_network::wallet::Hotkey;
use mantis_release::ledger::{LEDGER_INDEX, LedgerIndex, ListedChallenge, ListedFacts, ListedPart};
use mantis_release::signature::{Signed, to_file};
use mantis_release::{Digest, SIGNATURE_SUFFIX};
use mantis_validator::unix;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};

/// The folder of parts in the place.
const PARTS: &str = "parts";
/// The file that is locked while the place is written.
const LOCK: &str = ".lock";

/// What is published, and where.
#[derive(Clone, Copy, Debug)]
pub struct PublicationSource<'a> {
    /// The ledger, which may be written meanwhile.
    pub ledger: &'a Path,
    /// The configuration by which it was stored; rows of its challenges are published.
    pub config: &'a Config,
    /// The folder with all that is published.
    pub place: &'a Path,
    /// Days back from the newest one that is over.
    pub days: u32,
}

/// What was published.
#[derive(Clone, Debug)]
pub struct Publication {
    /// The list.
    pub index: LedgerIndex,
    /// Whether it is another than before.
    pub is_new: bool,
    /// Days whose parts were made or have changed.
    pub made: Vec<i64>,
    /// Bytes of their files.
    pub made_bytes: u64,
}

/// Brings the place up to date and signs its list: parts of days that are over, each as it is in the ledger now. Those that did not
/// change are left alone; a day that the ledger has begun to forget stays as it was. `progress` hears which part is done, 0 to 1.
///
/// # Errors
/// [`PublicationError`]; what was published before is as it was.
pub fn publish(
    source: &PublicationSource<'_>,
    key: &Hotkey,
    mut progress: impl FnMut(f64),
) -> Result<Publication, PublicationError> {
    let PublicationSource { config, place, .. } = *source;
    let parts = place.join(PARTS);
    fs::create_dir_all(&parts).map_err(PublicationError::file(&parts))?;
    let _lock = lock(place)?;
    let before = published_before(place, config, key)?;
    let ledger = Ledger::read(source.ledger)?;
    ledger.attach_sides(config)?;
    ledger.check_layout(config)?;
    let mut making = Making::begin(source, &ledger, before.as_ref())?;
    let days = making.days.clone();
    for (done, day) in days.iter().enumerate() {
        progress(done as f64 / days.len() as f64);
        making.day(&ledger, *day)?;
    }
    let facts = making.facts(&ledger)?;
    progress(1.0);
    let Making { listed, state, made, made_bytes, .. } = making;
    let challenges = ListedChallenge::all_of(config);
    let mut index = LedgerIndex {
        netuid: config.network.netuid,
        publisher: key.address().into(),
        number: before.as_ref().map_or(1, |before| before.number),
        unix: before.as_ref().map_or_else(unix, |before| before.unix),
        sample_every: config.network.sample_every,
        part_blocks: Day::BLOCKS,
        layout: ListedChallenge::digest(&challenges),
        facts,
        challenges,
        parts: listed.into_values().collect(),
    };
    let is_new = before.as_ref() != Some(&index);
    if is_new {
        if let Some(before) = &before {
            index.number = before.number.saturating_add(1);
            index.unix = unix();
        }
        write_list(place, &index, key)?;
        sweep(&parts, [Some(&index), before.as_ref()]);
    }
    state.write(place).map_err(PublicationError::file(place))?;
    Ok(Publication { index, is_new, made, made_bytes })
}

/// One at a time.
fn lock(place: &Path) -> Result<File, PublicationError> {
    let path = place.join(LOCK);
    let error = PublicationError::file(&path);
    let file = File::options().create(true).append(true).open(&path).map_err(&error)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            let reason = "another process publishes into it: wait until that has ended".into();
            Err(PublicationError::Place { place: place.into(), reason })
        }
        Err(TryLockError::Error(source)) => Err(error(source)),
    }
}

/// The list that is there; `None` where there is none. It must be ours.
fn published_before(
    place: &Path,
    config: &Config,
    key: &Hotkey,
) -> Result<Option<LedgerIndex>, PublicationError> {
    let path = place.join(LEDGER_INDEX);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(PublicationError::file(&path)(error)),
    };
    let index = LedgerIndex::parse(&bytes)?;
    let no = |reason: String| Err(PublicationError::Place { place: place.into(), reason });
    if index.publisher != key.address() {
        return no(format!("{} publishes there, and this key is {}", index.publisher, key.address()));
    }
    let (netuid, every) = (config.network.netuid, config.network.sample_every);
    if (index.netuid, index.sample_every) != (netuid, every) {
        let (theirs, rows) = (index.netuid, index.sample_every);
        return no(format!(
            "it is for subnet {theirs} with a row every {rows} blocks, and the configuration says {netuid} and {every}"
        ));
    }
    if index.part_blocks != Day::BLOCKS {
        return no(format!(
            "its parts have {} blocks, and this program makes those of {}",
            index.part_blocks,
            Day::BLOCKS
        ));
    }
    Ok(Some(index))
}

/// Parts on their way.
struct Making<'a> {
    source: PublicationSource<'a>,
    tickers: BTreeSet<String>,
    /// What is to be looked at.
    days: Vec<Day>,
    /// The first block that the ledger has.
    first: Block,
    /// The first block of which something waits.
    waiting: Option<Block>,
    listed: BTreeMap<i64, ListedPart>,
    facts_before: Option<ListedFacts>,
    state: State,
    made: Vec<i64>,
    made_bytes: u64,
}

impl<'a> Making<'a> {
    fn begin(
        source: &PublicationSource<'a>,
        ledger: &Ledger,
        before: Option<&LedgerIndex>,
    ) -> Result<Self, PublicationError> {
        let config = source.config;
        let tickers = config.challenges.iter().map(|challenge| challenge.ticker.clone()).collect();
        // Before the days: what waits now is not told as final, whatever is opened meanwhile.
        let waiting = ledger.first_waiting()?;
        let last = ledger.last_block()?;
        let over = |day: &Day| last.is_some_and(|last| day.last() < last);
        let mut days = ledger.days(&tickers, config.network.sample_every)?;
        days.retain(over);
        let Some(newest) = days.last().copied() else {
            let next = last.map_or(Day(1), |last| Day(Day::of(last).0 + 1)).first();
            return Err(PublicationError::NoDay { ledger: source.ledger.into(), next });
        };
        let oldest = newest.0 - i64::from(source.days) + 1;
        days.retain(|day| day.0 >= oldest);
        let is_there = |part: &&ListedPart| fs::metadata(source.place.join(part.name())).is_ok();
        let kept = before.into_iter().flat_map(|before| &before.parts).filter(|part| part.day >= oldest);
        let kept = kept.filter(is_there);
        let mut state = State::read(source.place);
        state.stamps.retain(|day, _| *day >= oldest);
        Ok(Self {
            source: *source,
            tickers,
            days,
            first: ledger.first_block()?.unwrap_or_default(),
            waiting,
            listed: kept.map(|part| (part.day, *part)).collect(),
            facts_before: before.and_then(|before| before.facts),
            state,
            made: Vec::new(),
            made_bytes: 0,
        })
    }

    fn day(&mut self, ledger: &Ledger, day: Day) -> Result<(), PublicationError> {
        let network = &self.source.config.network;
        let head = PartHead { netuid: network.netuid, sample_every: network.sample_every, day };
        let is_final = self.waiting.is_none_or(|waiting| waiting > day.last());
        let stamp = ledger.part_stamp(head, &self.tickers)?.map(hex::encode);
        let before = self.listed.get(&day.0).copied().filter(|part| self.is_there(part));
        if let Some(before) =
            before.filter(|_| stamp.is_some() && stamp.as_ref() == self.state.stamps.get(&day.0))
        {
            self.listed.insert(day.0, ListedPart { is_final, ..before });
            return Ok(());
        }
        let draft = self.draft();
        let written = ledger.write_part(head, &self.tickers, &draft);
        let Some((contents, packed)) = written.inspect_err(|_| drop(fs::remove_file(&draft)))? else {
            return Ok(());
        };
        // What the ledger forgets stays published.
        let is_forgotten = self.first > day.first();
        if before.is_some_and(|before| is_forgotten && contents.rows < before.rows) {
            return fs::remove_file(&draft).map_err(PublicationError::file(&draft));
        }
        match stamp {
            Some(stamp) => drop(self.state.stamps.insert(day.0, stamp)),
            None => drop(self.state.stamps.remove(&day.0)),
        }
        let part = listed(day, is_final, &contents, packed);
        if let Some(before) = before.filter(|before| before.content == part.content) {
            self.listed.insert(day.0, ListedPart { is_final, ..before });
            return fs::remove_file(&draft).map_err(PublicationError::file(&draft));
        }
        self.put(&draft, &part.name())?;
        self.made.push(day.0);
        self.made_bytes += part.size;
        self.listed.insert(day.0, part);
        Ok(())
    }

    /// The facts, where there are any.
    fn facts(&mut self, ledger: &Ledger) -> Result<Option<ListedFacts>, PublicationError> {
        let names: BTreeSet<String> = self.source.config.facts.iter().map(|list| list.name.clone()).collect();
        let draft = self.draft();
        let written = ledger.write_facts(self.source.config.network.netuid, &names, &draft)?;
        let Some((contents, packed)) = written else { return Ok(None) };
        let facts = ListedFacts {
            size: packed.size,
            bytes: contents.bytes,
            sha256: Digest(packed.sha256),
            content: Digest(contents.sha256),
        };
        let path = self.source.place.join(facts.name());
        match self.facts_before {
            Some(before) if before.content == facts.content && path.exists() => {
                fs::remove_file(&draft).map_err(PublicationError::file(&draft))?;
                Ok(Some(before))
            }
            _ => {
                self.put(&draft, &facts.name())?;
                Ok(Some(facts))
            }
        }
    }

    /// Whether the file of a part lies in the place, as long as it should be.
    fn is_there(&self, part: &ListedPart) -> bool {
        fs::metadata(self.source.place.join(part.name())).is_ok_and(|about| about.len() == part.size)
    }

    fn draft(&self) -> PathBuf {
        self.source.place.join(PARTS).join(".draft")
    }

    fn put(&self, draft: &Path, name: &str) -> Result<(), PublicationError> {
        let path = self.source.place.join(name);
        fs::rename(draft, &path).map_err(PublicationError::file(&path))
    }
}

fn listed(day: Day, is_final: bool, contents: &PartContents, packed: PackedFile) -> ListedPart {
    let PartContents { first, last, blocks, rows, bytes, sha256 } = *contents;
    ListedPart {
        day: day.0,
        is_final,
        first: first.unwrap_or_default().0,
        last: last.unwrap_or_default().0,
        blocks,
        rows,
        size: packed.size,
        bytes,
        sha256: Digest(packed.sha256),
        content: Digest(sha256),
    }
}

/// Writes the signature, then the list, so that a list has a signature wherever it is served.
fn write_list(place: &Path, index: &LedgerIndex, key: &Hotkey) -> Result<(), PublicationError> {
    let text = index.to_text()?;
    let signature = to_file(&key.sign_message(&Signed::Ledger.message(text.as_bytes())));
    for (name, text) in
        [(format!("{LEDGER_INDEX}{SIGNATURE_SUFFIX}"), signature), (LEDGER_INDEX.into(), text)]
    {
        let path = place.join(name);
        replace(&path, text.as_bytes()).map_err(PublicationError::file(&path))?;
    }
    Ok(())
}

/// Removes the files that neither this list nor the one before it names: whoever has begun with that still finds them.
fn sweep(parts: &Path, lists: [Option<&LedgerIndex>; 2]) {
    let names = lists.into_iter().flatten().flat_map(|index| {
        index.parts.iter().map(ListedPart::name).chain(index.facts.iter().map(ListedFacts::name))
    });
    let wanted: BTreeSet<String> =
        names.filter_map(|name| name.rsplit('/').next().map(String::from)).collect();
    for entry in fs::read_dir(parts).into_iter().flatten().flatten() {
        if !wanted.contains(entry.file_name().to_string_lossy().as_ref()) {
            // It takes room, and does no harm.
            let _ = fs::remove_file(entry.path());
        }
    }
}
