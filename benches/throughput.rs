//! Whole runs beside the bare floors under them, over the same files, in one run on one machine.
//!
//! `cargo bench` prints a table for README; `cargo bench -- 10000 100000` takes other sizes than 10 k, 100 k and 1 M.
//! A floor is what cannot be gone below by the means used: one thread of bare quick-xml events, one of bare `csv`
//! records, unzipping alone. Each figure is the best of a few runs.

#![expect(clippy::print_stdout, reason = "the table is what it is for")]

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

mod support;

const PASSWORD: &str = "invented";

fn main() {
    let sizes: Vec<u64> = std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![10_000, 100_000, 1_000_000] } else { sizes };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let bench = Bench { folder: folder.path().to_owned() };
    small(&bench);
    println!("\n| tokens | work | time | us a token | floor | ratio | at most | peak memory |");
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for tokens in sizes {
        bench.all(tokens);
    }
}

struct Bench {
    folder: PathBuf,
}

/// One run of the program.
#[derive(Clone, Copy)]
struct Run {
    time: Duration,
    peak_bytes: u64,
}

impl Bench {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn all(&self, tokens: u64) {
        let (plain, encrypted) = (self.path("plain.xml"), self.path("encrypted.xml"));
        let (zip, csv, key) = (self.path("plain.zip"), self.path("entra.csv"), self.path("key.txt"));
        support::plain_pskc(&plain, tokens).expect("disk");
        support::encrypted_pskc(&encrypted, tokens).expect("disk");
        support::entra_csv(&csv, tokens).expect("disk");
        support::key_file(&key).expect("disk");
        support::aes_zip(&zip, &plain, PASSWORD).expect("disk");

        let repeat = if tokens > 200_000 { 3 } else { 5 };
        let xml_floor = best(repeat, || xml_events(&plain));
        let plain_run = self.convert(repeat, &[&plain], &["--to", "graph"]);
        row(tokens, "plain PSKC to graph, 2 threads", plain_run, xml_floor, "quick-xml events", 0.9);
        let one = self.convert(repeat, &[&plain], &["--to", "graph", "--threads", "1"]);
        row(tokens, "plain PSKC to graph, 1 thread", one, xml_floor, "quick-xml events", f64::NAN);
        let csv_floor = best(repeat, || csv_records(&csv));
        let csv_run = self.convert(repeat, &[&csv], &["--to", "graph"]);
        row(tokens, "Entra CSV to graph", csv_run, csv_floor, "csv records", 5.0);
        let unzip = best(repeat, || unzipped(&zip));
        let zip_run = self.convert(repeat, &[&zip], &["--to", "graph"]);
        row(tokens, "AES-256 ZIP of the PSKC", zip_run, plain_run.time, "the plain file", 1.2);
        row(tokens, "AES-256 ZIP of the PSKC", zip_run, unzip, "unzipping alone", f64::NAN);
        let key = key.to_string_lossy();
        let encrypted_run = self.convert(repeat, &[&encrypted], &["--to", "graph", "--pskc-key-file", &key]);
        row(tokens, "AES-128-CBC and HMAC-SHA1 per seed", encrypted_run, plain_run.time, "the plain file", 1.5);
    }

    fn convert(&self, repeat: u32, deliveries: &[&Path], options: &[&str]) -> Run {
        let out = self.path("out.json");
        let runs = (0..repeat).map(|_| {
            let _ = fs::remove_file(&out);
            let mut command = Command::new(env!("CARGO_BIN_EXE_seedmill"));
            command.arg("convert").args(deliveries).args(options).arg("-o").arg(&out).arg("-q");
            command.env("SEEDMILL_PASSWORD", PASSWORD).stdin(Stdio::null()).stdout(Stdio::null());
            measured(&mut command)
        });
        let run = runs.min_by_key(|run| run.time).expect("at least one run");
        fs::remove_file(&out).expect("every run writes its output");
        run
    }
}

/// A delivery of 1,000 tokens: the whole process, from start to renamed file.
fn small(bench: &Bench) {
    let plain = bench.path("small.xml");
    support::plain_pskc(&plain, 1_000).expect("disk");
    let run = bench.convert(20, &[&plain], &["--to", "graph"]);
    println!("1,000 tokens, whole process: {:.1} ms (at most 15 ms)", run.time.as_secs_f64() * 1e3);
}

fn row(tokens: u64, work: &str, run: Run, floor: Duration, floor_name: &str, at_most: f64) {
    let seconds = run.time.as_secs_f64();
    println!(
        "| {tokens} | {work} | {seconds:.3} s | {:.2} | {:.3} s ({floor_name}) | {:.2} | {} | {} MiB |",
        seconds * 1e6 / tokens as f64,
        floor.as_secs_f64(),
        seconds / floor.as_secs_f64(),
        if at_most.is_nan() { "-".to_owned() } else { at_most.to_string() },
        run.peak_bytes >> 20,
    );
}

fn best(repeat: u32, work: impl Fn()) -> Duration {
    (0..repeat)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .min()
        .expect("at least one run")
}

/// Runs a command and watches its memory; where the system does not tell, the peak is 0.
fn measured(command: &mut Command) -> Run {
    let start = Instant::now();
    let mut child = command.spawn().expect("the program is built");
    let status = format!("/proc/{}/status", child.id());
    let mut peak_bytes = 0;
    loop {
        if let Some(exit) = child.try_wait().expect("our child") {
            assert!(exit.success(), "{command:?}: {exit}");
            return Run { time: start.elapsed(), peak_bytes };
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let kibibytes = text
            .lines()
            .find_map(|line| line.strip_prefix("VmHWM:"))
            .and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
        peak_bytes = peak_bytes.max(kibibytes.unwrap_or_default() << 10);
        std::thread::sleep(Duration::from_micros(500));
    }
}

fn xml_events(path: &Path) {
    let mut reader =
        quick_xml::Reader::from_reader(BufReader::with_capacity(1 << 20, File::open(path).expect("the file")));
    let mut buffer = Vec::new();
    let mut events = 0_u64;
    while !matches!(reader.read_event_into(&mut buffer).expect("well-formed"), quick_xml::events::Event::Eof) {
        events += 1;
        buffer.clear();
    }
    assert!(events > 0);
}

fn csv_records(path: &Path) {
    let mut reader = csv::ReaderBuilder::new().buffer_capacity(1 << 20).from_path(path).expect("the file");
    let mut record = csv::ByteRecord::new();
    let mut records = 0_u64;
    while reader.read_byte_record(&mut record).expect("a record") {
        records += 1;
    }
    assert!(records > 0);
}

fn unzipped(path: &Path) {
    let mut archive = zip::ZipArchive::new(File::open(path).expect("the file")).expect("an archive");
    let mut member = archive.by_index_decrypt(0, PASSWORD.as_bytes()).expect("the password");
    io::copy(&mut member, &mut io::sink()).expect("a good archive");
}
