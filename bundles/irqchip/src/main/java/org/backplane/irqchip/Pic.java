package org.backplane.irqchip;

import org.backplane.devicekit.Access;
import org.backplane.devicekit.Register;
import org.backplane.devicekit.RegisterBank;
import org.backplane.devicekit.RegisterFile;

/**
 * One 8259A in 8086 mode (Intel 231468, "8259A Programmable Interrupt Controller"), with an edge/level control register (ELCR) as EISA added it.
 *
 * <p><b>Requests.</b> An edge-triggered input requests with its rising edge and goes on as long as the line stays high; if the line falls
 * before the acknowledge the request is gone. A level-triggered input requests while it is high. Which inputs are level-triggered is ICW1's
 * LTIM for all, or ELCR for one.
 *
 * <p><b>Priority.</b> {@code lowest} is the input of lowest priority, the one after it has the highest; rotation moves it. A request
 * passes when it is not masked and outranks everything in service. Special mask mode takes masked inputs out of what is in service, special
 * fully nested mode (master only) takes out the slave's input.
 *
 * <p>The command port is three registers in one, told apart by bits 4 and 3; so they are declared as three, and the port hands on. The
 * registers are all the state there is.
 */
final class Pic {
    private final Register irr;
    private final Register isr;
    private final Register imr;
    private final Register lines;
    private final Register elcr;
    private final Register lowest;
    private final Register icw1;
    private final Register icw2;
    private final Register icw3;
    private final Register icw4;
    private final Register ocw3;
    /** Which word the data port takes next: 2, 3 or 4 for an ICW, 0 for OCW1, the mask. */
    private final Register nextIcw;
    /** OCW2 with R=1, EOI=0 sets it: automatic EOI rotates. */
    private final Register rotateOnAutoEoi;

    private final RegisterBank ports;
    private final int nestingInputs;
    private final Runnable changed;

    /**
     * @param levelInputs inputs whose ELCR bit can be set
     * @param nestingInputs inputs with a slave behind, for special fully nested mode
     * @param changed called when {@link #request} may have changed through a port or an input
     */
    Pic(RegisterFile file, String name, int levelInputs, int nestingInputs, Runnable changed) {
        this.nestingInputs = nestingInputs;
        this.changed = changed;
        irr = file.register(name + ".irr", 8);
        isr = file.register(name + ".isr", 8);
        imr = file.register(name + ".imr", 8);
        lines = file.register(name + ".lines", 8).retained();
        lowest = file.register(name + ".lowest", 8).resetValue(7);
        nextIcw = file.register(name + ".next_icw", 8);
        rotateOnAutoEoi = file.register(name + ".rotate_on_aeoi", 8);
        elcr = file.register(name + ".elcr", 8);
        for (int i = 0; i < 8; i++) elcr.bits("level" + i, i, 1, (levelInputs >> i & 1) != 0 ? Access.READ_WRITE : Access.RESERVED);
        elcr.onWrite(v -> triggersChanged());

        icw1 = file.register(name + ".icw1", 8).bits("ic4", 0).bits("sngl", 1).bits("adi", 2).bits("ltim", 3).bits("icw1", 4).bits("a7_5", 5, 3);
        icw1.onWrite(v -> initialize());
        icw2 = file.register(name + ".icw2", 8).bits("a10_8", 0, 3).bits("base", 3, 5);
        icw3 = file.register(name + ".icw3", 8);
        icw4 = file.register(name + ".icw4", 8).bits("upm", 0).bits("aeoi", 1).bits("ms", 2).bits("buf", 3).bits("sfnm", 4);
        Register ocw2 = file.register(name + ".ocw2", 8).bits("level", 0, 3).bits("eoi", 5).bits("sl", 6).bits("r", 7).derived();
        ocw2.onWrite(this::endOfInterrupt);
        ocw3 = file.register(name + ".ocw3", 8).bits("ris", 0).bits("poll", 2).bits("smm", 5);
        Register ocw3Port = file.register(name + ".ocw3_command", 8)
                .bits("ris", 0).bits("rr", 1).bits("poll", 2).bits("esmm", 6).bits("smm", 5).derived();
        ocw3Port.onWrite(this::operate);

        Register command = file.register(name + ".command", 8).derived().onRead(this::readStatus);
        command.onWrite(v -> {
            if ((v & 0x10) != 0) icw1.busWrite(v);
            else if ((v & 0x08) != 0) ocw3Port.busWrite(v);
            else ocw2.busWrite(v);
        });
        Register data = file.register(name + ".data", 8).derived().onRead(() -> ocw3.test(0x04) ? poll() : imr.value());
        data.onWrite(this::writeData);
        ports = new RegisterBank(file, 2).at(0, command).at(1, data);
    }

    RegisterBank ports() {
        return ports;
    }

    Register elcr() {
        return elcr;
    }

    // ---- towards the board ----

    /** An input changed its level, or may have. */
    void input(int n, boolean level) {
        int bit = 1 << n;
        if (level == lines.test(bit)) return;
        if (level) {
            lines.setBits(bit);
            irr.setBits(bit);
        } else {
            lines.clearBits(bit);
            irr.clearBits(bit);
        }
        changed.run();
    }

    /** The input whose request stands at INT, or -1. */
    int request() {
        int best = rank(irr.intValue() & ~imr.intValue());
        return best < rank(blocking()) ? input(best) : -1;
    }

    /** First INTA: the request goes into service, or with automatic EOI straight through it. */
    void accept(int n) {
        int bit = 1 << n;
        // A level-triggered request goes with its line. An edge is used up.
        if (!levelTriggered(bit)) irr.clearBits(bit);
        if (!icw4.test(0x02)) isr.setBits(bit);
        else if (rotateOnAutoEoi.value() != 0) lowest.set(n);
    }

    int vector(int n) {
        return icw2.intValue() & 0xf8 | n;
    }

    int spuriousVector() {
        return vector(7);
    }

    /** No slave anywhere: ICW1's SNGL. */
    boolean single() {
        return icw1.test(0x02);
    }

    /** Power-on: level-triggered inputs request, edges are forgotten. */
    void restart() {
        irr.set(lines.value() & levelMask());
    }

    // ---- priority ----

    /** Rank 0 (highest) to 7 of the highest of these inputs; 8 for none. */
    private int rank(int inputs) {
        int shift = lowest.intValue() + 1 & 7;
        return Integer.numberOfTrailingZeros((inputs | inputs << 8) >> shift & 0xff | 0x100);
    }

    private int input(int rank) {
        return rank + lowest.intValue() + 1 & 7;
    }

    /** What is in service and keeps out its own and lower ranks. */
    private int blocking() {
        int b = isr.intValue();
        if (ocw3.test(0x20)) b &= ~imr.intValue();
        if (icw4.test(0x10)) b &= ~nestingInputs;
        return b;
    }

    private boolean levelTriggered(int bit) {
        return (levelMask() & bit) != 0;
    }

    private int levelMask() {
        return icw1.test(0x08) ? 0xff : elcr.intValue();
    }

    /** An input that has become level-triggered requests as its line is; one that has become edge-triggered keeps its request. */
    private void triggersChanged() {
        irr.setBits(lines.value() & levelMask());
        changed.run();
    }

    // ---- words from software ----

    /** ICW1: starts the initialization sequence. */
    private void initialize() {
        imr.set(0);
        isr.set(0);
        lowest.set(7);
        rotateOnAutoEoi.set(0);
        ocw3.set(0);
        icw4.set(0);
        // The edge sense circuits are reset: an input must fall and rise again to request.
        irr.set(lines.value() & levelMask());
        nextIcw.set(2);
        changed.run();
    }

    /** The data port: ICW2, ICW3 unless single, ICW4 if announced; then the mask. */
    private void writeData(long v) {
        switch (nextIcw.intValue()) {
            case 2 -> {
                icw2.busWrite(v);
                nextIcw.set(!single() ? 3 : icw1.test(0x01) ? 4 : 0);
            }
            case 3 -> {
                icw3.busWrite(v);
                nextIcw.set(icw1.test(0x01) ? 4 : 0);
            }
            case 4 -> {
                icw4.busWrite(v);
                nextIcw.set(0);
            }
            default -> imr.busWrite(v);
        }
        changed.run();
    }

    /** OCW2: the R, SL and EOI bits are one of eight commands; L is their input. */
    private void endOfInterrupt(long v) {
        int level = (int) v & 7;
        switch ((int) v >> 5) {
            case 0b001 -> finishHighest(false);
            case 0b011 -> isr.clearBits(1L << level);
            case 0b101 -> finishHighest(true);
            case 0b111 -> {
                isr.clearBits(1L << level);
                lowest.set(level);
            }
            case 0b100 -> rotateOnAutoEoi.set(1);
            case 0b000 -> rotateOnAutoEoi.set(0);
            case 0b110 -> lowest.set(level);
            default -> {} // 010: no operation
        }
        changed.run();
    }

    /** Non-specific EOI. In special mask mode it passes over masked inputs. */
    private void finishHighest(boolean rotate) {
        int candidates = ocw3.test(0x20) ? isr.intValue() & ~imr.intValue() : isr.intValue();
        if (candidates == 0) return;
        int n = input(rank(candidates));
        isr.clearBits(1L << n);
        if (rotate) lowest.set(n);
    }

    /** OCW3: each of its three settings has an enable bit; polling is for the next read. */
    private void operate(long v) {
        long keep = ocw3.value();
        if ((v & 0x40) != 0) keep = keep & ~0x20 | v & 0x20;
        if ((v & 0x02) != 0) keep = keep & ~0x01 | v & 0x01;
        ocw3.set(keep & ~0x04 | v & 0x04);
        changed.run();
    }

    private long readStatus() {
        if (ocw3.test(0x04)) return poll();
        return ocw3.test(0x01) ? isr.value() : irr.value();
    }

    /** A read after the poll command is an acknowledge whose answer is the input's number with bit 7, or 0. */
    private long poll() {
        ocw3.clearBits(0x04);
        int n = request();
        if (n < 0) return 0;
        accept(n);
        changed.run();
        return 0x80 | n;
    }
}
