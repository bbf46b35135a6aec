//! What the system says of this process.

use std::fs;

/// What the system says of this process; Linux only.
pub(super) struct Process {
    /// Memory held, bytes.
    pub(super) resident: f64,
    /// Processor time used, s.
    pub(super) cpu: f64,
    /// Open files.
    pub(super) files: f64,
}

impl Process {
    pub(super) fn read() -> Option<Self> {
        // The unit of times in /proc, on every Linux.
        const TICKS: f64 = 100.0;
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let status = fs::read_to_string("/proc/self/status").ok()?;
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let resident: f64 = held.trim().strip_suffix(" kB")?.parse().ok()?;
        // The name, in brackets, may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
        let field = |i: usize| fields.get(i).and_then(|text| text.parse::<f64>().ok());
        Some(Self {
            cpu: (field(11)? + field(12)?) / TICKS,
            resident: resident * 1024.0,
            files: fs::read_dir("/proc/self/fd").ok()?.count() as f64,
        })
    }
}
