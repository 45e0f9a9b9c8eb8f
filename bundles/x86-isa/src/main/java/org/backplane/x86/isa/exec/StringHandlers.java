package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Mnemonic;

/**
 * MOVS, STOS, LODS, CMPS, SCAS, INS and OUTS, with REP (SDM 2B: REP).
 *
 * <p><b>Restartable.</b> After each element, or each bulk run inside one page, the registers are committed. A fault therefore
 * leaves the count of what remains and RIP at the instruction; so does a request to leave, which is looked at once a
 * {@link #CHUNK}: the instruction then unwinds with RETRY and is not counted as retired.
 *
 * <p><b>Bulk.</b> MOVS and STOS, forwards, in pages that the TLB lets through, go by host copies. A copy whose source overlaps its
 * target from below replicates on a real processor, so it is done element by element.
 */
final class StringHandlers {
    /** Elements between two looks at the request to leave. */
    private static final int CHUNK = 4096;

    private StringHandlers() {}

    static void run(Cpu c, Insn i) {
        if (!i.rep && !i.repne) {
            element(c, i);
            advance(c, i, 1);
            return;
        }
        int left = CHUNK;
        for (;;) {
            long count = Cpu.wrap(c.gpr[CpuState.RCX], i.addressSize);
            if (count == 0) return;
            long done = bulk(c, i, count);
            boolean finished = false;
            if (done == 0) {
                element(c, i);
                done = 1;
                finished = compares(i) && c.s.zf() != i.rep;
            }
            advance(c, i, done);
            c.setRegister(CpuState.RCX, i.addressSize, count - done);
            if (finished || count == done) return;
            if ((c.s.rflagsOther & CpuState.TF) != 0) { // a single-step trap after each element (SDM 3B 17.3.1.4)
                c.s.pendingDebug |= DebugRegisters.BS;
                throw again(c);
            }
            if (c.v.debug.singleStep) throw again(c);
            if (c.v.monitorTrap && !c.emulatesOne()) throw again(c); // the monitor trap comes after each element, too (SDM 3C 25.5.2)
            left -= (int) Math.min(done, CHUNK);
            if (c.end < 0 || left <= 0 && c.v.leave) throw again(c);
            if (left <= 0) left = CHUNK;
        }
    }

    private static Unwind again(Cpu c) {
        c.sync();
        c.v.debug.completed();
        return c.unwind(Unwind.RETRY);
    }

    private static boolean compares(Insn i) {
        return i.mnemonic() == Mnemonic.CMPS || i.mnemonic() == Mnemonic.SCAS;
    }

    private static int size(Insn i) {
        return i.kind0 == Insn.TARGET || i.kind0 == Insn.SOURCE ? i.size0 : i.size1;
    }

    private static boolean usesSource(Mnemonic m) {
        return m == Mnemonic.MOVS || m == Mnemonic.LODS || m == Mnemonic.CMPS || m == Mnemonic.OUTS;
    }

    private static boolean usesTarget(Mnemonic m) {
        return m != Mnemonic.LODS && m != Mnemonic.OUTS;
    }

    /** Steps the pointers over so many elements. */
    private static void advance(Cpu c, Insn i, long elements) {
        long by = elements * size(i);
        if ((c.s.rflagsOther & CpuState.DF) != 0) by = -by;
        Mnemonic m = i.mnemonic();
        if (usesSource(m)) step(c, CpuState.RSI, by, i.addressSize);
        if (usesTarget(m)) step(c, CpuState.RDI, by, i.addressSize);
    }

    private static void step(Cpu c, int register, long by, int addressSize) {
        c.setRegister(register, addressSize, c.gpr[register] + by);
    }

    private static long source(Cpu c, Insn i, int size) {
        return c.linear(i.segment, Cpu.wrap(c.gpr[CpuState.RSI], i.addressSize), size, false);
    }

    private static long target(Cpu c, Insn i, int size, boolean write) {
        return c.linear(CpuState.ES, Cpu.wrap(c.gpr[CpuState.RDI], i.addressSize), size, write);
    }

    private static void element(Cpu c, Insn i) {
        int size = size(i);
        switch (i.mnemonic()) {
            case MOVS -> c.write(target(c, i, size, true), size, c.read(source(c, i, size), size));
            case STOS -> c.write(target(c, i, size, true), size, c.gpr[CpuState.RAX]);
            case LODS -> c.setRegister(CpuState.RAX, size, c.read(source(c, i, size), size));
            case CMPS -> {
                long a = c.read(source(c, i, size), size);
                Arithmetic.sub(c.s, size, a, c.read(target(c, i, size, false), size));
            }
            case SCAS -> {
                long b = c.read(target(c, i, size, false), size);
                Arithmetic.sub(c.s, size, c.register(CpuState.RAX, size), b);
            }
            default -> PortHandlers.element(c, i);
        }
    }

    // ---- bulk ----

    /** Does as many elements as one page of each operand allows; 0 when it has to be done singly. */
    private static long bulk(Cpu c, Insn i, long count) {
        Mnemonic m = i.mnemonic();
        if (count < 4 || m != Mnemonic.MOVS && m != Mnemonic.STOS) return 0;
        if (c.dataBreakpoints || c.v.debug.singleStep || c.v.monitorTrap) return 0;
        if ((c.s.rflagsOther & (CpuState.DF | CpuState.TF)) != 0) return 0;
        int size = i.size0;
        long n = inSegment(c, CpuState.ES, CpuState.RDI, i, size, count);
        if (m == Mnemonic.MOVS) n = inSegment(c, i.segment, CpuState.RSI, i, size, n);
        if (n < 4) return 0;
        long to = target(c, i, size, true);
        n = Math.min(n, inPage(to) / size);
        if (m == Mnemonic.STOS) return n < 2 ? 0 : fill(c, to, size, n);
        long from = source(c, i, size);
        n = Math.min(n, inPage(from) / size);
        return n < 2 ? 0 : copy(c, from, to, size, n);
    }

    private static long inPage(long gva) {
        return 0x1000 - (gva & 0xfff);
    }

    /** How many elements fit before the offset wraps or reaches the limit of an ordinary segment. */
    private static long inSegment(Cpu c, int seg, int register, Insn i, int size, long count) {
        long off = Cpu.wrap(c.gpr[register], i.addressSize);
        long top = Math.min(Cpu.wrap(-1, i.addressSize), c.s.segLimit[seg]);
        boolean expandDown = (c.s.segAr[seg] & 0xc) == 4;
        if (expandDown || off > top) return 0;
        return Math.min(count, (top - off + 1) / size);
    }

    private static int user(Cpu c) {
        return c.s.cpl == 3 ? Intercepts.USER : 0;
    }

    private static long fill(Cpu c, long to, int size, long n) {
        long host = c.memory.hostForWrite(c, to, Intercepts.WRITE | user(c));
        if (host == 0) return 0;
        long value = c.gpr[CpuState.RAX];
        if (size == 1 || size == 4 && isRepeated(value)) {
            HostMemory.fill(host, n * size, (byte) value);
        } else {
            for (long k = 0; k < n; k++) HostMemory.put(host + k * size, size, value);
        }
        return n;
    }

    private static boolean isRepeated(long value) {
        return (int) value == ((int) value & 0xff) * 0x01010101;
    }

    private static long copy(Cpu c, long from, long to, int size, long n) {
        long source = c.memory.hostForRead(c, from, user(c));
        if (source == 0) return 0;
        long target = c.memory.hostForWrite(c, to, Intercepts.WRITE | user(c));
        if (target == 0) return 0;
        if (target > source && target < source + n * size) return 0;
        HostMemory.copy(source, target, n * size);
        return n;
    }
}
