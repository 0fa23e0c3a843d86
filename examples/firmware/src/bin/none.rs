//! No codec: what is flashed for the harness alone. It fails its own checks, as it must.
#![no_std]
#![no_main]

use firmware::{BUFFER, Codec, Link, machine::entry};

struct None;

impl Codec for None {
    fn open(link: &mut Link<'_>) -> bool {
        Self::echo(link)
    }

    fn echo(link: &mut Link<'_>) -> bool {
        let mut buf = [0; BUFFER];
        loop {
            match link.read(&mut buf) {
                0 => return true,
                n => link.write(&buf[..n]),
            }
        }
    }
}

#[entry]
fn main() -> ! {
    firmware::run::<None>()
}
