package org.backplane.board.api;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The keys of a machine's configuration: one list for the command line of {@code backplane run}, machine files and the shell. A key may be given
 * several times only where {@link Option#multiple} says so.
 */
public final class MachineOptions {
    /**
     * An option.
     *
     * @param argument what follows it, for help; empty for a flag
     */
    public record Option(String name, String argument, boolean multiple, String help) {}

    public static final List<Option> ALL = List.of(
            new Option("m", "SIZE", false, "memory; a number of MiB, or with suffix K, M, G (default 128)"),
            new Option("kernel", "FILE", false, "boot a bzImage or a multiboot ELF"),
            new Option("initrd", "FILE", false, "initial RAM disk (modules for multiboot)"),
            new Option("append", "TEXT", false, "kernel command line"),
            new Option("kernel-entry", "16|32", false, "enter a bzImage by its real-mode setup code, after the BIOS, or directly (default 32)"),
            new Option("bios", "FILE", false, "system ROM: a file, or the name of a firmware card"),
            new Option("fda", "FILE", false, "floppy image in drive A; builtin:demo is the demonstration guest"),
            new Option("boot", "ORDER", false, "boot order: a (floppy)"),
            new Option("snapshot", "", false, "writes to images are not kept"),
            new Option("serial", "BACKEND", true, "COM1, COM2 …: stdio, file:PATH, null, or console (the shell's)"),
            new Option("debugcon", "BACKEND", false, "port 0xE9: stdio, file:PATH, null"),
            new Option("device", "TYPE[,property=value…]", true, "plug a card"),
            new Option("rtc", "base=utc|localtime|DATETIME", false, "time of the real-time clock at start"),
            new Option("icount", "", false, "the clock counts instructions"),
            new Option("no-reboot", "", false, "end instead of resetting"),
            new Option("cpu-backend", "NAME", false, "CPU backend card (default vmx)"),
            new Option("mmu", "NAME", false, "MMU card: shadow or direct (default direct)"),
            new Option("shadow-pages", "N", false, "most shadow pages of -mmu shadow, at least 64 (default 4096)"),
            new Option("audit", "N", false, "audit the MMU's tables every N VM exits; -stats ends with the result"),
            new Option(
                    "realmode",
                    "NAME",
                    false,
                    "how real mode runs: vm86, vm86-2007, emulate, unrestricted (default unrestricted; with shadow tables vm86)"),
            new Option("emulator", "NAME", false, "emulator card"),
            new Option("S", "", false, "do not start the CPU: wait for a debugger's continue, or vm:resume"),
            new Option("gdb", "tcp:[HOST]:PORT", false, "wait for gdb there (default host 127.0.0.1)"),
            new Option("s", "", false, "the same as -gdb tcp::1234"),
            new Option("card-limit", "MS", false, "milliseconds that a card may take for one call before it is unplugged (default 2000); 0: for ever"),
            new Option("storm", "COUNT[,CARD…][,seed=N]", false, "replace cards at random so often while the guest runs; all, or these slots' ones"),
            new Option("overcommit", "mem-lock=on|off", false, "lock guest memory"),
            new Option("d", "ITEM,…", false, "log: int, exec, cpu_reset, exit, io, guest_errors"),
            new Option("D", "FILE", false, "where -d logs to (default standard error)"));

    /** Options of the process that runs a machine, which a machine file may give too; who has no use for one leaves it out. */
    public static final List<Option> FRONT_END = List.of(
            new Option("nographic", "", false, "no screen; serial port on the terminal, Ctrl-A h for help"),
            new Option("display", "none|text", false, "show the text screen on the terminal (default none)"),
            new Option("machine", "NAME", false, "take options from machines/NAME.cfg; the command line wins"),
            new Option("bundle", "FILE.jar", true, "install a third-party bundle first"),
            new Option("timeout", "SECONDS", false, "end with status 124 after so long"),
            new Option("stats", "", false, "print statistics at the end"));

    /** Those of {@link #ALL} that a {@link MachineFrontEnd} serves. */
    public static final Set<String> SERVED = Set.of("gdb", "s", "storm");

    private MachineOptions() {}

    /** The option of that name, of either list. */
    public static Optional<Option> find(String name) {
        return Stream.concat(ALL.stream(), FRONT_END.stream()).filter(o -> o.name().equals(name)).findFirst();
    }
}
