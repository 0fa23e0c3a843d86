//! Puts the map of the emulated machine's memory where the linker looks for it.

use std::env;
use std::fs;
use std::path::PathBuf;

/// QEMU's mps2-an385: a Cortex-M3 with 4 MiB of code and 4 MiB of data.
const ARM: &str = "MEMORY {
    FLASH : ORIGIN = 0x00000000, LENGTH = 256K
    RAM   : ORIGIN = 0x20000000, LENGTH = 64K
}";

/// QEMU's virt: the program lies in its RAM, of which one half plays the flash.
const RISCV: &str = r#"MEMORY {
    FLASH : ORIGIN = 0x80000000, LENGTH = 256K
    RAM   : ORIGIN = 0x80100000, LENGTH = 64K
}
REGION_ALIAS("REGION_TEXT", FLASH);
REGION_ALIAS("REGION_RODATA", FLASH);
REGION_ALIAS("REGION_DATA", RAM);
REGION_ALIAS("REGION_BSS", RAM);
REGION_ALIAS("REGION_HEAP", RAM);
REGION_ALIAS("REGION_STACK", RAM);"#;

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let is_arm = env::var("CARGO_CFG_TARGET_ARCH").expect("cargo sets it") == "arm";
    fs::write(out.join("memory.x"), if is_arm { ARM } else { RISCV }).expect("OUT_DIR can be written");
    println!("cargo:rustc-link-search={}", out.display());
    println!("cargo:rerun-if-changed=build.rs");
}
