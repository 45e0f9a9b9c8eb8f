package org.backplane.x86.isa.exec;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.Insn;
import org.backplane.x86.isa.Site;

/**
 * The machine that handlers work on: a vCPU's state, the inline look-up in its TLB, segmentation, and the doors to what
 * lies behind ({@link Memory} for a TLB miss, {@link Intercepts} for instructions that may exit).
 *
 * <p><b>One handler set, two paths.</b> For bulk execution {@link #entries} is the vCPU's TLB. For {@code emulateOne}, with
 * alignment checks, or with data breakpoints, it is an array that never hits, so that every access takes the slow path, where all of that
 * is looked at. Nothing is tested for it on the fast path.
 *
 * <p><b>Position.</b> While a block runs {@link #blockRip} is the RIP of its start and {@link #retired} the instructions
 * retired before it. {@code state.rip} and {@code v.instructions} are made true by {@link #sync} before anything is called
 * that can see them. An instruction that has to end the block after itself (a write into code, a request to leave) calls {@link #stop}.
 *
 * <p><b>Thread.</b> That of the vCPU.
 */
public final class Cpu {
    /** Exception vectors (SDM 3A table 6-1). */
    public static final int DE = 0,
            DB = 1,
            BP = 3,
            OF = 4,
            BR = 5,
            UD = 6,
            NM = 7,
            DF = 8,
            TS = 10,
            NP = 11,
            SS = 12,
            GP = 13,
            PF = 14,
            MF = 16,
            AC = 17;

    /** Error code of an exception that has none. */
    public static final int NO_ERROR = -1;

    /** Bits of {@link #mode}: what the meaning of code bytes depends on. */
    public static final int CODE32 = 1, CODE64 = 2, STACK32 = 4, FLAT = 8;

    private static final long LOW32 = 0xffffffffL;

    /** A TLB in which nothing is found; shared, never written. */
    private static final long[] NEVER = new SoftTlb().entries;

    public final VcpuContext v;
    public final CpuState s;
    public final long[] gpr;
    public final SoftTlb tlb;
    public final Memory memory;

    /** The backend's intercepts, or the adapter of {@code emulateOne}. */
    public Intercepts calls;

    /** The TLB in use: the vCPU's, or one that never hits. */
    public long[] entries = NEVER;

    /** RIP of the current block's start, and instructions retired before it. */
    public long blockRip, retired;

    /** The block ends before the element with this number; {@link #stop} makes it negative. */
    public int end;

    /** Position of the current instruction in its block. */
    public int offset, index, length;

    /** Decode mode, see the constants. */
    public int mode;

    /** Bit n: segment register n is flat and readable, or writable (base 0, limit 4 GiB). */
    public int flatRead, flatWrite;

    /** The fault in flight: vector, and error code or {@link #NO_ERROR}. */
    public int faultVector, faultError;

    /** EXT bit for error codes while an event is being delivered that no instruction asked for (SDM 3A 6.13). */
    public int ext;

    /** Accesses are checked for alignment, or compared with the debug registers: both only on the slow path. */
    public boolean alignmentChecks, dataBreakpoints;

    /** The current instruction is executed by itself; or the next one must be, because it makes an access that is watched for. */
    public boolean single, wantsSingle;

    /** The instruction entered an interrupt handler: no single-step trap follows it. */
    public boolean eventEntered;

    /** Scratch of event delivery and gates. */
    final Frame frame = new Frame();

    /** Scratch for the images of the x87 state. */
    final byte[] image = new byte[512];

    private final boolean neverHits;
    private final Unwind unwind = new Unwind();

    /**
     * @param neverHits do not use the TLB at all
     */
    public Cpu(VcpuContext v, Memory memory, boolean neverHits) {
        this.v = v;
        this.s = v.state;
        this.gpr = v.state.gpr;
        this.tlb = v.tlb;
        this.memory = memory;
        this.neverHits = neverHits;
    }

    // ---- position ----

    /** A block begins. */
    public void begin(long rip, long retiredBefore) {
        blockRip = rip;
        retired = retiredBefore;
    }

    public void at(Site site) {
        offset = site.offset;
        index = site.index;
        length = site.length;
    }

    /** Makes state and context true for the current instruction. */
    public void sync() {
        s.rip = rip();
        v.insnLength = length;
        v.instructions = retired + index;
    }

    /** RIP of the current instruction. */
    public long rip() {
        return mask(blockRip + offset);
    }

    /** RIP of the instruction after the current one. */
    public long nextRip() {
        return mask(blockRip + offset + length);
    }

    private long mask(long rip) {
        return (mode & CODE64) != 0 ? rip : rip & LOW32;
    }

    /** Ends the block after the current instruction. */
    public void stop() {
        end = -1;
    }

    // ---- unwinding ----

    /** The exception to throw for a fault of the guest. */
    public Unwind fault(int vector, int error) {
        faultVector = vector;
        faultError = error;
        unwind.kind = Unwind.FAULT;
        return unwind;
    }

    public Unwind gp() {
        return fault(GP, ext);
    }

    public Unwind undefined() {
        return fault(UD, NO_ERROR);
    }

    /** A fault that names a selector, with the EXT bit of the event being delivered. */
    public Unwind selectorFault(int vector, int selector) {
        return fault(vector, selector & 0xfffc | ext);
    }

    public Unwind unwind(int kind) {
        unwind.kind = kind;
        return unwind;
    }

    /** Goes on after DONE, unwinds after any other answer of an intercept. */
    public void answer(int answer) {
        if (answer != Intercepts.DONE) throw refusal(answer);
        if (v.leave || v.interruptWindow || v.nmiWindow) end = -1;
    }

    /** The exception for an answer that is not DONE. */
    public Unwind refusal(int answer) {
        if (answer == Intercepts.FAULT) return fault(v.faultVector, v.faultError);
        unwind.kind = answer == Intercepts.RETRY ? Unwind.RETRY : Unwind.EXIT;
        return unwind;
    }

    /** The exception for a negative answer of {@link Intercepts#translate}, except T_MMIO. */
    public Unwind translationRefusal(long answer) {
        if (answer == Intercepts.T_FAULT) return fault(v.faultVector, v.faultError);
        unwind.kind = answer == Intercepts.T_RETRY ? Unwind.RETRY : Unwind.EXIT;
        return unwind;
    }

    /** This is the machine of {@code emulateOne}: nothing it executes exits. */
    boolean emulatesOne() {
        return neverHits;
    }

    /** Calls an intercept of the kind that only has a reason. */
    public void instruction(int exitReason) {
        sync();
        answer(calls.instruction(v, exitReason));
    }

    // ---- mode ----

    /** Computes everything that is derived from mode, segments, CPL and debug registers. After each change of these. */
    public void updateMode() {
        int m = 0;
        boolean longMode = s.longModeActive();
        int cs = s.segAr[CpuState.CS];
        if (longMode && (cs & CpuState.AR_L) != 0) m |= CODE64;
        else if ((cs & CpuState.AR_DB) != 0) m |= CODE32;
        if ((s.segAr[CpuState.SS] & CpuState.AR_DB) != 0) m |= STACK32;
        flatRead = flatWrite = 0;
        for (int seg = 0; seg < 6; seg++) flatness(seg);
        int needed = 1 << CpuState.SS | 1 << CpuState.DS | 1 << CpuState.ES;
        boolean csFlat = s.segBase[CpuState.CS] == 0 && s.segLimit[CpuState.CS] == LOW32;
        if ((flatWrite & needed) == needed && csFlat) m |= FLAT;
        mode = m;
        tlb.base = s.cpl == 3 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
        alignmentChecks = s.cpl == 3 && (s.rflagsOther & CpuState.AC) != 0 && (s.cr0 & CpuState.CR0_AM) != 0;
        dataBreakpoints = DebugRegisters.watchesData(s.dr[7]);
        entries = neverHits || alignmentChecks || dataBreakpoints ? NEVER : tlb.entries;
    }

    private void flatness(int seg) {
        int ar = s.segAr[seg];
        if (s.segBase[seg] != 0 || s.segLimit[seg] != LOW32) return;
        if ((ar & CpuState.AR_UNUSABLE) != 0 || (ar & (CpuState.AR_P | CpuState.AR_S)) != (CpuState.AR_P | CpuState.AR_S)) return;
        boolean checked = s.protectedMode() && !s.vm86();
        boolean code = (ar & 8) != 0;
        if (!code && (ar & 4) != 0) return; // expand-down
        if (!checked || !code || (ar & 2) != 0) flatRead |= 1 << seg;
        if (!checked || !code && (ar & 2) != 0) flatWrite |= 1 << seg;
    }

    // ---- linear memory: the fast path ----

    public int read8(Site at, long gva) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.READ] == (gva & SoftTlb.PAGE)) return HostMemory.getByte(gva + e[i + SoftTlb.ADDEND]) & 0xff;
        return (int) slowRead(at, gva, 1) & 0xff;
    }

    public int read16(Site at, long gva) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.READ] == (gva + 1 & SoftTlb.PAGE)) {
            return HostMemory.getShort(gva + e[i + SoftTlb.ADDEND]) & 0xffff;
        }
        return (int) slowRead(at, gva, 2) & 0xffff;
    }

    public int read32(Site at, long gva) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.READ] == (gva + 3 & SoftTlb.PAGE)) return HostMemory.getInt(gva + e[i + SoftTlb.ADDEND]);
        return (int) slowRead(at, gva, 4);
    }

    public long read64(Site at, long gva) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.READ] == (gva + 7 & SoftTlb.PAGE)) return HostMemory.getLong(gva + e[i + SoftTlb.ADDEND]);
        return slowRead(at, gva, 8);
    }

    public void write8(Site at, long gva, int value) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.WRITE] == (gva & SoftTlb.PAGE)) HostMemory.putByte(gva + e[i + SoftTlb.ADDEND], (byte) value);
        else slowWrite(at, gva, 1, value);
    }

    public void write16(Site at, long gva, int value) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.WRITE] == (gva + 1 & SoftTlb.PAGE)) {
            HostMemory.putShort(gva + e[i + SoftTlb.ADDEND], (short) value);
        } else {
            slowWrite(at, gva, 2, value);
        }
    }

    public void write32(Site at, long gva, int value) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.WRITE] == (gva + 3 & SoftTlb.PAGE)) HostMemory.putInt(gva + e[i + SoftTlb.ADDEND], value);
        else slowWrite(at, gva, 4, value);
    }

    public void write64(Site at, long gva, long value) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.WRITE] == (gva + 7 & SoftTlb.PAGE)) HostMemory.putLong(gva + e[i + SoftTlb.ADDEND], value);
        else slowWrite(at, gva, 8, value);
    }

    /** Host address for a read-modify-write inside a page, or 0: then use {@link #slowModify} and {@link #slowWrite}. */
    public long modifiable(long gva, int size) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        return e[i + SoftTlb.WRITE] == (gva + size - 1 & SoftTlb.PAGE) ? gva + e[i + SoftTlb.ADDEND] : 0;
    }

    /** Host address for reads of so many bytes inside a page, or 0: then read piece by piece. */
    public long readable(long gva, int size) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        return e[i + SoftTlb.READ] == (gva + size - 1 & SoftTlb.PAGE) ? gva + e[i + SoftTlb.ADDEND] : 0;
    }

    // ---- linear memory: the slow path ----

    public long slowRead(Site at, long gva, int size) {
        at(at);
        return read(gva, size);
    }

    public void slowWrite(Site at, long gva, int size, long value) {
        at(at);
        write(gva, size, value);
    }

    /** The read of a read-modify-write: the page must be writable. */
    public long slowModify(Site at, long gva, int size) {
        at(at);
        return modify(gva, size);
    }

    private int user() {
        return s.cpl == 3 ? Intercepts.USER : 0;
    }

    /** Reads at a linear address with the rights of the CPL; the position is already set. */
    public long read(long gva, int size) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.READ] == (gva + size - 1 & SoftTlb.PAGE)) return HostMemory.get(gva + e[i + SoftTlb.ADDEND], size);
        check(gva, size, Intercepts.READ);
        return memory.read(this, gva, size, user());
    }

    public void write(long gva, int size, long value) {
        long[] e = entries;
        int i = tlb.base + SoftTlb.slot(gva);
        if (e[i + SoftTlb.WRITE] == (gva + size - 1 & SoftTlb.PAGE)) {
            HostMemory.put(gva + e[i + SoftTlb.ADDEND], size, value);
            return;
        }
        check(gva, size, Intercepts.WRITE);
        memory.write(this, gva, size, value, Intercepts.WRITE | user());
    }

    public long modify(long gva, int size) {
        long host = modifiable(gva, size);
        if (host != 0) return HostMemory.get(host, size);
        check(gva, size, Intercepts.WRITE);
        if (v.debug.watches()) watch(gva, size, false);
        return memory.read(this, gva, size, Intercepts.WRITE | user());
    }

    /** Compares and exchanges; answers the value found. */
    public long compareExchange(long gva, int size, long expected, long value) {
        check(gva, size, Intercepts.WRITE);
        if (v.debug.watches()) watch(gva, size, false);
        return memory.compareExchange(this, gva, size, expected, value, Intercepts.WRITE | user());
    }

    /** Alignment check, data breakpoints and a debugger's watchpoints, which live on the slow path only. */
    private void check(long gva, int size, int access) {
        if (alignmentChecks && (gva & size - 1) != 0) throw fault(AC, 0);
        if (dataBreakpoints) DebugRegisters.dataAccess(this, gva, size, access == Intercepts.WRITE);
        if (v.debug.watches()) watch(gva, size, access == Intercepts.WRITE);
    }

    /**
     * Tells the debugger of an instruction's access. If it is watched for, the instruction must be the last before the boundary; where it is one of
     * several in an element of a block, it is started again by itself.
     */
    private void watch(long gva, int size, boolean write) {
        if (!v.debug.access(gva, size, write)) return;
        stop();
        if (single) return;
        wantsSingle = true;
        sync();
        throw unwind(Unwind.RETRY);
    }

    /** The same for an implicit access: whoever makes one is the last element of its block. */
    void watchImplicit(long gva, int size, boolean write) {
        if (v.debug.watches() && v.debug.access(gva, size, write)) stop();
    }

    /** An implicit supervisor read: descriptor tables, TSS. */
    public long readSystem(long gva, int size) {
        watchImplicit(gva & LOW32, size, false);
        return memory.read(this, gva & LOW32, size, Memory.SYSTEM);
    }

    public void writeSystem(long gva, int size, long value) {
        watchImplicit(gva & LOW32, size, true);
        memory.write(this, gva & LOW32, size, value, Memory.SYSTEM | Intercepts.WRITE);
    }

    // ---- segmentation (SDM 3A 5.3 to 5.5) ----

    /** Linear address of an operand, after the checks of its segment. */
    public long linear(int seg, long off, int size, boolean write) {
        int flat = write ? flatWrite : flatRead;
        if ((flat >> seg & 1) != 0) return off & LOW32;
        int ar = s.segAr[seg];
        boolean code = (ar & 8) != 0;
        if (s.protectedMode() && !s.vm86()) {
            if ((ar & (CpuState.AR_UNUSABLE | CpuState.AR_P)) != CpuState.AR_P) throw segmentFault(seg);
            if (write ? code || (ar & 2) == 0 : code && (ar & 2) == 0) throw segmentFault(seg);
        }
        checkLimit(seg, off, size);
        return s.segBase[seg] + off & LOW32;
    }

    /** Limit check alone; raises #SS(0) for the stack segment, else #GP(0). */
    public void checkLimit(int seg, long off, int size) {
        long limit = s.segLimit[seg];
        int ar = s.segAr[seg];
        if ((ar & 0xc) == 4 && (ar & CpuState.AR_S) != 0) {
            long top = (ar & CpuState.AR_DB) != 0 ? LOW32 : 0xffff;
            if (off <= limit || off + size - 1 > top) throw segmentFault(seg);
        } else if (off + size - 1 > limit && limit != LOW32) {
            throw segmentFault(seg);
        }
    }

    private Unwind segmentFault(int seg) {
        return fault(seg == CpuState.SS ? SS : GP, 0);
    }

    /** Offset part of a memory operand, wrapped to the address size. */
    public long effective(Insn i) {
        long a = i.displacement;
        if (i.base >= 0) a += gpr[i.base];
        if (i.indexRegister >= 0) a += gpr[i.indexRegister] << i.scale;
        return wrap(a, i.addressSize);
    }

    /** Wraps an offset to an address size of 2, 4 or 8 bytes. */
    public static long wrap(long a, int addressSize) {
        return addressSize == 4 ? a & LOW32 : addressSize == 2 ? a & 0xffff : a;
    }

    /** Linear address of the memory operand. */
    public long address(Insn i, int size, boolean write) {
        return linear(i.segment, effective(i), size, write);
    }

    public long readSegment(int seg, long off, int size) {
        return read(linear(seg, off, size, false), size);
    }

    public void writeSegment(int seg, long off, int size, long value) {
        write(linear(seg, off, size, true), size, value);
    }

    // ---- registers ----

    public static long sizeMask(int size) {
        return size == 8 ? -1 : (1L << (8 * size)) - 1;
    }

    public long register(int n, int size) {
        return gpr[n] & sizeMask(size);
    }

    /** Writes a register: 32 bits clear the upper half, 8 and 16 bits leave the rest. */
    public void setRegister(int n, int size, long value) {
        switch (size) {
            case 1 -> gpr[n] = gpr[n] & ~0xffL | value & 0xff;
            case 2 -> gpr[n] = gpr[n] & ~0xffffL | value & 0xffff;
            case 4 -> gpr[n] = value & LOW32;
            default -> gpr[n] = value;
        }
    }

    // ---- operands ----

    /** Reads operand n, zero-extended; an immediate as decoded. */
    public long get(Insn i, int n) {
        int size = i.size(n);
        return switch (i.kind(n)) {
            case Insn.REG -> gpr[i.number(n)] & sizeMask(size);
            case Insn.REG_HIGH -> gpr[i.number(n)] >> 8 & 0xff;
            case Insn.MEM -> read(address(i, size, false), size);
            case Insn.IMM -> i.immediate & sizeMask(size);
            case Insn.SEG -> s.segSel[i.number(n)];
            default -> throw new IllegalStateException("operand kind " + i.kind(n));
        };
    }

    /** Writes operand n. */
    public void put(Insn i, int n, long value) {
        int size = i.size(n);
        switch (i.kind(n)) {
            case Insn.REG -> setRegister(i.number(n), size, value);
            case Insn.REG_HIGH -> gpr[i.number(n)] = gpr[i.number(n)] & ~0xff00L | (value & 0xff) << 8;
            case Insn.MEM -> write(address(i, size, true), size, value);
            default -> throw new IllegalStateException("operand kind " + i.kind(n));
        }
    }

    /** Reads operand 0 of a read-modify-write instruction. */
    public long getForUpdate(Insn i) {
        return i.kind0 == Insn.MEM ? modify(address(i, i.size0, true), i.size0) : get(i, 0);
    }

    // ---- stack ----

    /** Mask of the stack pointer: its width is the B flag of SS (SDM 3A 5.8.2). */
    public long stackMask() {
        return (mode & CODE64) != 0 ? -1 : (s.segAr[CpuState.SS] & CpuState.AR_DB) != 0 ? LOW32 : 0xffff;
    }

    public long sp() {
        return gpr[CpuState.RSP] & stackMask();
    }

    public void setSp(long sp) {
        long mask = stackMask();
        gpr[CpuState.RSP] = gpr[CpuState.RSP] & ~mask & LOW32 | sp & mask;
    }

    /** Writes below the stack without moving the stack pointer; {@code sp} is wrapped. */
    public void stackWrite(long sp, int size, long value) {
        writeSegment(CpuState.SS, sp & stackMask(), size, value);
    }

    public long stackRead(long sp, int size) {
        return readSegment(CpuState.SS, sp & stackMask(), size);
    }

    public void push(int size, long value) {
        long sp = gpr[CpuState.RSP] - size;
        stackWrite(sp, size, value);
        setSp(sp);
    }

    public long pop(int size) {
        long sp = gpr[CpuState.RSP];
        long value = stackRead(sp, size);
        setSp(sp + size);
        return value;
    }

    // ---- control ----

    /** A near jump: to an offset that must lie within CS. */
    public void jump(long target, int operandSize) {
        long rip = wrap(target, operandSize);
        checkCodeLimit(rip);
        s.rip = rip;
    }

    /** #GP(0) for an offset outside of CS. */
    public void checkCodeLimit(long rip) {
        if (rip > s.segLimit[CpuState.CS] && (mode & CODE64) == 0) throw fault(GP, 0);
    }

    /** Steps RIP over the current instruction. */
    public void step() {
        s.rip = nextRip();
    }

    /** #GP(0) unless at CPL 0. */
    public void privileged() {
        if (s.cpl != 0) throw fault(GP, 0);
    }

    public int iopl() {
        return s.rflagsOther >> 12 & 3;
    }
}
