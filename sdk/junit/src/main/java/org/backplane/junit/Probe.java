package org.backplane.junit;

import java.time.Duration;

/**
 * The guest that a {@link TestVm} boots when it is given no other: it does with ports, memory and interrupts what the test says, on the VM's CPU.
 * Memory from 2 MiB on is free for DMA. {@code src/main/asm/probe.asm} in the sources tells what it understands.
 *
 * <p>All methods return when the guest has done it, and throw {@link AssertionError} with its console if it does not in time.
 */
public final class Probe {
    private static final String PROMPT = "> ";
    private static final int POLL_MILLIS = 5;

    private final SerialConsole serial;
    private final Duration patience;

    Probe(SerialConsole serial, Duration patience) {
        this.serial = serial;
        this.patience = patience;
    }

    /** Waits until it has booted. */
    void boot() {
        serial.expect("backplane probe\r\n" + PROMPT);
    }

    // ---- ports ----

    public int in8(int port) {
        return (int) ask("i1 %x".formatted(port));
    }

    public int in16(int port) {
        return (int) ask("i2 %x".formatted(port));
    }

    /** @return zero-extended */
    public long in32(int port) {
        return ask("i4 %x".formatted(port));
    }

    public void out8(int port, int value) {
        tell("o1 %x %x".formatted(port, value & 0xff));
    }

    public void out16(int port, int value) {
        tell("o2 %x %x".formatted(port, value & 0xffff));
    }

    public void out32(int port, long value) {
        tell("o4 %x %x".formatted(port, value & 0xffff_ffffL));
    }

    // ---- memory, and devices in memory ----

    public int read8(long gpa) {
        return (int) ask("r1 %x".formatted(gpa));
    }

    public int read16(long gpa) {
        return (int) ask("r2 %x".formatted(gpa));
    }

    /** @return zero-extended */
    public long read32(long gpa) {
        return ask("r4 %x".formatted(gpa));
    }

    public void write8(long gpa, int value) {
        tell("w1 %x %x".formatted(gpa, value & 0xff));
    }

    public void write16(long gpa, int value) {
        tell("w2 %x %x".formatted(gpa, value & 0xffff));
    }

    public void write32(long gpa, long value) {
        tell("w4 %x %x".formatted(gpa, value & 0xffff_ffffL));
    }

    // ---- interrupts ----

    /**
     * How many interrupts of a line came since this was asked last. Lines are edge-triggered, so one that stays high counts once. Line 4 is the
     * probe's own, and line 0, the timer's, is masked.
     *
     * @param irq 1 to 15
     */
    public int interrupts(int irq) {
        return (int) ask("q %x".formatted(irq));
    }

    /**
     * Waits for an interrupt of a line, and counts as {@link #interrupts} does.
     *
     * @throws AssertionError if none comes within the patience of the VM
     */
    public int awaitInterrupt(int irq) {
        long limit = System.nanoTime() + patience.toNanos();
        while (true) {
            int n = interrupts(irq);
            if (n > 0) return n;
            if (System.nanoTime() > limit) throw new AssertionError("no interrupt of line " + irq + " in " + patience.toMillis() + " ms");
            try {
                Thread.sleep(POLL_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new AssertionError("interrupted while waiting for an interrupt", e);
            }
        }
    }

    // ---- talking ----

    private long ask(String command) {
        String answer = tell(command);
        if (answer.isEmpty()) throw new AssertionError("the probe does not answer to \"" + command + "\"");
        return Long.parseLong(answer, 16);
    }

    private String tell(String command) {
        serial.send(command + "\n");
        serial.expect(command + "\n\r\n");
        String answer = serial.expect(PROMPT).strip();
        if (answer.equals("?")) throw new IllegalArgumentException("the probe does not understand \"" + command + "\"");
        return answer;
    }
}
