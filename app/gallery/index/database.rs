use super::{Entry, Query};
use crate::thumbnail::from_thumbnail;
use fourstep_protocol::Picture;
use rusqlite::{Connection, OptionalExtension, Row, ToSql, params};
use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Of the tables; an index of another version is made again.
const VERSION: i64 = 1;
const TABLES: &str = "
    CREATE TABLE root(folder TEXT NOT NULL);
    CREATE TABLE pictures(
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, modified_ns INTEGER NOT NULL, bytes INTEGER NOT NULL,
        width INTEGER NOT NULL, height INTEGER NOT NULL, starred INTEGER NOT NULL, prompt TEXT NOT NULL,
        model TEXT NOT NULL, thumbnail BLOB NOT NULL);
    CREATE INDEX pictures_by_age ON pictures(modified_ns DESC);
    CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'unicode61 remove_diacritics 2');
";
/// How long another program may keep the index to itself.
const PATIENCE: Duration = Duration::from_secs(5);

/// The index's file.
pub(super) struct Database {
    connection: Connection,
    folder: PathBuf,
}

/// A file in the state in which it was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub modified_ns: i64,
    pub bytes: i64,
}

/// What is in a picture.
#[derive(Clone, Debug, Default)]
pub(super) struct Details {
    /// 0 where the file is no picture.
    pub width: u32,
    pub height: u32,
    pub starred: bool,
    pub prompt: String,
    pub negative: String,
    pub model: String,
    /// A JPEG file.
    pub thumbnail: Vec<u8>,
}

impl Database {
    /// Opens the index of `folder`; one that is damaged, of another version or of another folder is made again.
    pub(super) fn open(file: &Path, folder: &Path) -> rusqlite::Result<Self> {
        if let Some(parent) = file.parent() {
            // Where it cannot be made, opening says why.
            let _ = fs::create_dir_all(parent);
        }
        match Self::try_open(file, folder) {
            Err(e) if !is_damage(&e) => Err(e),
            Ok(Some(database)) => Ok(database),
            Ok(None) | Err(_) => {
                for ending in ["", "-wal", "-shm"] {
                    let mut name = file.as_os_str().to_owned();
                    name.push(ending);
                    // What cannot be removed is said when it is opened again.
                    let _ = fs::remove_file(name);
                }
                Self::try_open(file, folder)?.ok_or(rusqlite::Error::InvalidQuery)
            }
        }
    }

    /// `None` where the index is another's.
    fn try_open(file: &Path, folder: &Path) -> rusqlite::Result<Option<Self>> {
        let connection = Connection::open(file)?;
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // What a failure of power takes is found again in the folder.
        connection.pragma_update(None, "synchronous", "OFF")?;
        let name = folder.to_string_lossy();
        let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if version == 0 {
            let made = connection.unchecked_transaction()?;
            made.execute_batch(TABLES)?;
            made.execute("INSERT INTO root VALUES (?1)", [&name])?;
            made.pragma_update(None, "user_version", VERSION)?;
            made.commit()?;
        }
        let is_ours = matches!(version, 0 | VERSION)
            && connection.query_row("SELECT folder FROM root", [], |row| row.get::<_, String>(0))? == name;
        Ok(is_ours.then(|| Self { connection, folder: folder.to_owned() }))
    }

    /// Every file that was looked at, by its path below the folder.
    pub(super) fn known(&self) -> rusqlite::Result<HashMap<String, Seen>> {
        let mut all = self.connection.prepare("SELECT name, modified_ns, bytes FROM pictures")?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, Seen { modified_ns: row.get(1)?, bytes: row.get(2)? })))?;
        rows.collect()
    }

    pub(super) fn forget(&mut self, names: &[&String]) -> rusqlite::Result<()> {
        let all = self.connection.transaction()?;
        for name in names {
            all.execute("DELETE FROM words WHERE rowid = (SELECT id FROM pictures WHERE name = ?1)", [name])?;
            all.execute("DELETE FROM pictures WHERE name = ?1", [name])?;
        }
        all.commit()
    }

    pub(super) fn remember(&mut self, piece: &[(String, Seen, Details)]) -> rusqlite::Result<()> {
        let all = self.connection.transaction()?;
        for (name, seen, d) in piece {
            let id: i64 = all.query_row(
                "INSERT INTO pictures(name, modified_ns, bytes, width, height, starred, prompt, model, thumbnail)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
                 ON CONFLICT(name) DO UPDATE SET modified_ns = ?2, bytes = ?3, width = ?4, height = ?5, starred = ?6,
                 prompt = ?7, model = ?8, thumbnail = ?9 RETURNING id",
                params![
                    name,
                    seen.modified_ns,
                    seen.bytes,
                    d.width,
                    d.height,
                    d.starred,
                    d.prompt,
                    d.model,
                    d.thumbnail
                ],
                |row| row.get(0),
            )?;
            all.execute("DELETE FROM words WHERE rowid = ?1", [id])?;
            let text = [&d.prompt, &d.negative, &d.model, name].map(String::as_str).join("\n");
            all.execute("INSERT INTO words(rowid, text) VALUES (?1, ?2)", params![id, text])?;
        }
        all.commit()
    }

    pub(super) fn star(&self, path: &Path, starred: bool) -> rusqlite::Result<()> {
        let Some(name) = super::stars::below(&self.folder, path) else { return Ok(()) };
        self.connection.execute("UPDATE pictures SET starred = ?2 WHERE name = ?1", params![name, starred])?;
        Ok(())
    }

    /// Gives every picture the star that it has in the folder.
    pub(super) fn star_all(&self, has: &dyn Fn(&str) -> bool) -> rusqlite::Result<()> {
        let mut all = self.connection.prepare("SELECT name, starred FROM pictures")?;
        let rows = all.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
        let rows: Vec<(String, bool)> = rows.collect::<rusqlite::Result<_>>()?;
        for (name, starred) in rows.into_iter().filter(|(name, starred)| has(name) != *starred) {
            self.connection.execute("UPDATE pictures SET starred = ?2 WHERE name = ?1", params![name, !starred])?;
        }
        Ok(())
    }

    /// Pictures that a query wants, the newest first.
    pub(super) fn find(&self, query: &Query) -> rusqlite::Result<Vec<Entry>> {
        let (mut wheres, mut values): (Vec<&str>, Vec<Box<dyn ToSql>>) = (vec!["width > 0"], Vec::new());
        if query.starred {
            wheres.push("starred");
        }
        if let Some(model) = &query.model {
            wheres.push("model = ?");
            values.push(Box::new(model.clone()));
        }
        if let Some(since) = query.since {
            wheres.push("modified_ns >= ?");
            let since = since.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            values.push(Box::new(since.as_nanos() as i64));
        }
        for word in query.words.split_whitespace() {
            // A word of an alphabet is found by its beginning; scripts without spaces have no such words.
            if word.chars().any(|c| c > '\u{2e7f}') {
                wheres.push("id IN (SELECT rowid FROM words WHERE text LIKE ? ESCAPE '\\')");
                let quoted = word.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
                values.push(Box::new(format!("%{quoted}%")));
            } else if word.chars().any(char::is_alphanumeric) {
                wheres.push("id IN (SELECT rowid FROM words WHERE words MATCH ?)");
                values.push(Box::new(format!("\"{}\"*", word.replace('"', "\"\""))));
            }
        }
        let sql = format!(
            "SELECT id, name, width, height, modified_ns / 1000000000, starred, prompt, model FROM pictures
             WHERE {} ORDER BY modified_ns DESC, id DESC",
            wheres.join(" AND ")
        );
        let mut found = self.connection.prepare(&sql)?;
        let values = rusqlite::params_from_iter(values.iter().map(|value| &**value));
        found.query_map(values, |row| self.entry(row))?.collect()
    }

    fn entry(&self, row: &Row<'_>) -> rusqlite::Result<Entry> {
        Ok(Entry {
            id: row.get(0)?,
            path: self.folder.join(row.get::<_, String>(1)?),
            width: row.get(2)?,
            height: row.get(3)?,
            saved_secs: row.get(4)?,
            starred: row.get(5)?,
            prompt: row.get(6)?,
            model: row.get(7)?,
        })
    }

    /// The names of models, in their order.
    pub(super) fn models(&self) -> rusqlite::Result<Vec<String>> {
        let sql = "SELECT DISTINCT model FROM pictures WHERE model <> '' AND width > 0 ORDER BY model COLLATE NOCASE";
        self.connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
    }

    pub(super) fn count(&self) -> rusqlite::Result<usize> {
        self.connection
            .query_row("SELECT count(*) FROM pictures WHERE width > 0", [], |row| row.get::<_, i64>(0))
            .map(|n| n as usize)
    }
}

/// Reads thumbnails from the index at `file` by [`Entry::id`], on whichever thread it is called.
pub fn thumbnails(file: PathBuf) -> impl FnMut(i64) -> Option<Picture> + Send {
    let mut connection: Option<Connection> = None;
    move |id| {
        if connection.is_none() {
            connection = Connection::open_with_flags(&file, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).ok();
        }
        let sql = "SELECT thumbnail FROM pictures WHERE id = ?1";
        let jpeg = connection.as_ref()?.query_row(sql, [id], |row| row.get::<_, Vec<u8>>(0)).optional();
        match jpeg {
            Ok(jpeg) => from_thumbnail(&jpeg?),
            Err(_) => {
                // The index may have been made again; the next question opens it anew.
                connection = None;
                None
            }
        }
    }
}

fn is_damage(e: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
    match e {
        rusqlite::Error::SqliteFailure(e, _) => {
            // A table that is missing counts as one: it has no code of its own.
            matches!(e.code, DatabaseCorrupt | NotADatabase) || e.extended_code == rusqlite::ffi::SQLITE_ERROR
        }
        rusqlite::Error::QueryReturnedNoRows => true,
        _ => false,
    }
}
