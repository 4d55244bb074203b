//! A Maildir as the yardstick writes it: to `tmp`, then renamed to `cur`.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use postkey::NumberSink;

pub(crate) struct Maildir {
    directory: PathBuf,
    file: Option<File>,
}

impl Maildir {
    pub(crate) fn new(directory: &Path) -> io::Result<Self> {
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(directory.join(sub))?;
        }
        Ok(Self { directory: directory.into(), file: None })
    }

    fn tmp(&self, number: u32) -> PathBuf {
        self.directory.join(format!("tmp/{number}"))
    }
}

impl NumberSink for Maildir {
    type Error = io::Error;

    fn begin(&mut self, number: u32) -> io::Result<bool> {
        self.file = Some(File::create(self.tmp(number))?);
        Ok(true)
    }

    fn chunk(&mut self, octets: &[u8]) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), |file| file.write_all(octets))
    }

    fn end(&mut self, number: u32) -> io::Result<()> {
        self.file = None;
        fs::rename(self.tmp(number), self.directory.join(format!("cur/{number}:2,")))
    }

    fn abandon(&mut self) {
        self.file = None;
    }
}
