//! A process that reads attachments, for tests and for programs that have none of
//! their own.

use std::io;

fn main() -> io::Result<()> {
    sillage_pages::serve(io::stdin().lock(), io::stdout().lock())
}
