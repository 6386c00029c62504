//! What the program tells of itself: formats, codes, completions, the manual page.

use std::io::{self, Write};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;
use seedmill::format::Format;
use seedmill::record::Code;

use crate::args::Cli;

/// Every format: what it reads, writes and loses.
pub(crate) fn formats(out: &mut dyn Write) -> io::Result<()> {
    for (index, format) in Format::ALL.into_iter().enumerate() {
        let about = format.description();
        if index > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{format}")?;
        for (label, text) in [
            ("reads", about.reads),
            ("writes", about.writes),
            ("loses", about.loses),
            ("source", about.source),
            ("memory", about.memory),
        ] {
            writeln!(out, "  {label:<6}  {}", if text.is_empty() { "nothing" } else { text })?;
        }
    }
    Ok(())
}

/// Every code: severity, whether `--allow` may lower it, meaning.
pub(crate) fn codes(out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{:<20}  {:<8}  {:<7}  MEANING", "CODE", "SEVERITY", "--allow")?;
    for code in Code::ALL {
        let allowable = if code.allowable() { "yes" } else { "no" };
        writeln!(out, "{:<20}  {:<8}  {allowable:<7}  {}", code.name(), code.severity().name(), code.meaning())?;
    }
    Ok(())
}

/// A completion script.
pub(crate) fn completions(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.set_bin_name("seedmill");
    command.build();
    clap_complete::generate(shell, &mut command, "seedmill", out);
    Ok(())
}

/// One manual page for all commands, in roff.
pub(crate) fn man(out: &mut dyn Write) -> io::Result<()> {
    let mut command = Cli::command();
    command.build();
    let commands: Vec<_> = command.get_subcommands().filter(|sub| sub.get_name() != "help").cloned().collect();
    let page = Man::new(command).manual("seedmill");
    page.render_title(out)?;
    page.render_name_section(out)?;
    page.render_synopsis_section(out)?;
    page.render_description_section(out)?;
    for command in commands {
        let title = format!("SEEDMILL {}", command.get_name().to_uppercase());
        let page = Man::new(command);
        let mut section = Vec::new();
        page.render_description_section(&mut section)?;
        page.render_synopsis_section(&mut section)?;
        page.render_options_section(&mut section)?;
        // A page has each heading once, so those of a command become parts of its section.
        let section = String::from_utf8_lossy(&section).replace(".SH ", ".SS ");
        let section = section.replacen(".SS DESCRIPTION", &format!(".SH \"{title}\""), 1);
        out.write_all(section.as_bytes())?;
    }
    out.write_all(MAN_END)
}

/// What no command's own help says.
const MAN_END: &[u8] = b"\
.SH ENVIRONMENT
.TP
\\fBSEEDMILL_PASSWORD\\fR
A password that is tried on each locked layer where no \\fB\\-\\-password\\-file\\fR is given.
.SH \"EXIT STATUS\"
.TP
\\fB0\\fR
All tokens are accepted; or the reader of standard output has gone.
.TP
\\fB1\\fR
Finished, but some tokens are rejected.
.TP
\\fB2\\fR
Stopped by an error, by wrong usage, or because there was nothing to read.
";

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(print: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut out).expect("a vector takes all");
        String::from_utf8(out).expect("it is text")
    }

    #[test]
    fn the_table_of_codes_has_every_code_in_columns_that_fit() {
        let table = printed(codes);
        assert_eq!(table.lines().count(), Code::ALL.len() + 1);
        for (line, code) in table.lines().skip(1).zip(Code::ALL) {
            assert_eq!(line.split_whitespace().next(), Some(code.name()));
            assert_eq!(&line[41..], code.meaning(), "{line}");
        }
    }

    #[test]
    fn the_manual_has_a_section_for_every_command() {
        let page = printed(man);
        for command in ["INSPECT", "CONVERT", "CHECK", "FORMATS", "COMPLETIONS", "MAN"] {
            assert_eq!(page.matches(&format!(".SH \"SEEDMILL {command}\"\n")).count(), 1, "{command}");
        }
        assert!(page.contains("skip\\-rejected"));
    }

    #[test]
    fn completions_know_the_options() {
        assert!(printed(|out| completions(Shell::Bash, out)).contains("--skip-rejected"));
    }
}
