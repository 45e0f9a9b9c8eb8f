package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.DebugControl;
import org.backplane.kvm.spi.cpu.Emulator;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.Decoder;
import org.backplane.x86.isa.exec.Cpu;
import org.backplane.x86.isa.exec.DebugRegisters;
import org.backplane.x86.isa.exec.Delivery;
import org.backplane.x86.isa.exec.Unwind;

/**
 * The run loop of one vCPU.
 *
 * <p><b>Dispatch.</b> A block is an array of pre-decoded elements, each of its own class, called through one virtual method. A
 * prototype with 29 operations over this TLB measured, per guest instruction, once warm and on a loaded machine: virtual call 3.6 to
 * 5.7 ns, one tableswitch over the same operations 4.4 to 7.0 ns (CRC, sieve and a random mix; the call was ahead in each). It also
 * has no 8,000-byte limit to fall off. What then pays is fewer dispatches (CompareJump, Stack.Run) and less work in each
 * (DeadFlags).
 *
 * <p><b>Between blocks</b> one volatile flag, the budget and {@code c.end} are tested. A block's successor inside the same page is
 * linked to it: the page cannot be mapped elsewhere without an instruction that ends in {@link #boundary}. All others are found
 * through the TLB's EXEC tag and a jump cache.
 *
 * <p><b>Boundaries.</b> Whatever has to be looked at between instructions (traps, windows, interrupt shadows, breakpoints, an exact
 * budget) is in {@link #boundary}; it is reached after every instruction that could have changed any of it. While something has to
 * be looked at after <em>each</em> instruction, {@link #step} runs blocks of one.
 *
 * <p><b>A debugger's points</b> ({@link DebugControl}) cost nothing elsewhere. A page with a breakpoint has no EXEC tag, so that every way into
 * it and every unlinked one inside it leads through {@link #fetch}: there blocks are cut before breakpoints, and the address of one gets {@link
 * #look}, an empty block that leads to the boundary. Links stay inside the page and never lead to a breakpoint.
 *
 * <p><b>Thread.</b> That of the vCPU.
 */
final class Engine {
    private static final int JUMP_BITS = 12, JUMP_MASK = (1 << JUMP_BITS) - 1;

    /** No reason to return. */
    private static final int GO_ON = -1;

    final Cpu c;
    private final VcpuContext v;
    private final CpuState s;
    private final CodeCache code;
    private final BlockBuilder builder = new BlockBuilder();
    private final DebugControl debug;

    /** Entered in place of the block at a breakpoint. It has no host address, so that nothing is linked to it. */
    private final Block look = new Block(0, 0);

    private final Block[] jumps = new Block[1 << JUMP_BITS];

    private long limit, blockLimit;
    private boolean exact;

    /** Something happened since the run began that a monitor trap follows: an instruction or an event. */
    private boolean trapOwed;

    /** RCX when the current step began: tells whether a REP instruction got on. */
    private long stepRcx;

    /** RF was set when the current step began. */
    private boolean resumeFlag;

    Engine(VcpuContext v, CodeCache code) {
        this.v = v;
        this.s = v.state;
        this.debug = v.debug;
        look.body = new Op[0];
        look.end = new End.Look();
        this.code = code;
        this.c = new Cpu(v, new TlbMemory(code), false);
    }

    private void begin() {
        c.calls = v.intercepts;
        c.ext = 0;
        c.begin(s.rip, v.instructions);
        c.offset = c.index = c.length = 0;
        c.updateMode();
    }

    int deliver(int info, int error, int length) {
        begin();
        return Delivery.deliver(c, info, error, length);
    }

    int run(long budget, boolean exactly) {
        begin();
        limit = budget > Long.MAX_VALUE - c.retired ? Long.MAX_VALUE : c.retired + budget;
        exact = exactly;
        trapOwed = false;
        int result = GO_ON;
        while (result == GO_ON) {
            try {
                result = boundary();
                if (result == GO_ON) blocks();
            } catch (Unwind u) {
                result = unwound(u.kind);
            }
        }
        v.instructions = c.retired;
        return result;
    }

    // ---- the loop ----

    /**
     * Runs blocks until something has to be looked at.
     *
     * <p>Everything that is live across the call of an element is spilled and reloaded around it, so the inner loop keeps as little as
     * it can in locals; fields are loaded again after it.
     */
    private void blocks() {
        // An exact budget ends the blocks while a whole one still fits; the rest goes in steps.
        blockLimit = exact ? limit - BlockBuilder.MAX_INSTRUCTIONS + 1 : limit;
        c.single = false;
        Block b = find(c.mode);
        for (;;) {
            int way = block(b);
            if (way < 0) return;
            Block next = way == End.FALL ? b.fall : way == End.TAKEN ? b.taken : null;
            b = next != null && next.valid ? next : successor(b, way);
        }
    }

    /** Runs one block and answers which way it was left, or -1 when there is something to look at. */
    private int block(Block b) {
        Cpu c = this.c;
        c.blockRip = c.s.rip;
        Op[] body = b.body;
        c.end = body.length;
        int i = 0;
        while (i < c.end) body[i++].run(c);
        if (c.end < 0) {
            stopped(body, i);
            return -1;
        }
        int way = b.end.run(c);
        long retired = c.retired + b.instructions;
        c.retired = retired;
        return c.end < 0 || retired >= blockLimit || v.leave ? -1 : way;
    }

    /** A block ended early, after element {@code i - 1}. */
    private void stopped(Op[] body, int i) {
        Op last = body[i - 1];
        s.rip = c.blockRip + last.offset + last.length & 0xffffffffL;
        c.retired += last.index + 1;
    }

    private Block successor(Block b, int way) {
        long delta = s.rip - c.blockRip;
        Block next = find(c.mode);
        if (way != End.ANYWHERE && b.samePage(delta) && next.secondPage == 0 && next.host == b.host + delta) {
            if (way == End.FALL) b.fall = next;
            else b.taken = next;
        }
        return next;
    }

    // ---- finding blocks ----

    /** The block at RIP; unwinds when the fetch faults. */
    private Block find(int mode) {
        long rip = s.rip;
        long gva = s.segBase[CpuState.CS] + rip & 0xffffffffL;
        int slot = (int) (gva ^ gva >>> JUMP_BITS) & JUMP_MASK;
        int i = c.tlb.base + SoftTlb.slot(gva);
        long[] e = c.tlb.entries;
        Block b = jumps[slot];
        boolean hit = b != null
                && e[i + SoftTlb.EXEC] == (gva & SoftTlb.PAGE)
                && b.host == gva + e[i + SoftTlb.ADDEND]
                && b.mode == mode
                && b.valid
                && b.secondPage == 0;
        if (!hit) {
            b = fetch(gva, mode);
            jumps[slot] = b;
        }
        if ((mode & Cpu.FLAT) == 0 && rip + b.bytes - 1 > s.segLimit[CpuState.CS]) return overLimit(rip, mode, b);
        return b;
    }

    /** Code that runs up to the limit of CS goes instruction by instruction; the one that crosses it faults. */
    private Block overLimit(long rip, int mode, Block b) {
        if ((mode & Block.STEP) == 0) return find(mode | Block.STEP);
        here();
        throw c.fault(Cpu.GP, 0);
    }

    /** The position is RIP itself: nothing of a block has run. */
    private void here() {
        c.blockRip = s.rip;
        c.offset = c.index = c.length = 0;
    }

    private long translate(long gva) {
        int i = c.tlb.base + SoftTlb.slot(gva);
        long[] e = c.tlb.entries;
        if (e[i + SoftTlb.EXEC] == (gva & SoftTlb.PAGE)) return gva + e[i + SoftTlb.ADDEND];
        c.sync();
        int access = Intercepts.FETCH | (s.cpl == 3 ? Intercepts.USER : 0);
        long host = c.calls.translate(v, gva, access);
        if (host < 0 && host != Intercepts.T_MMIO) throw c.translationRefusal(host);
        return host;
    }

    private Block fetch(long gva, int mode) {
        here();
        if (s.rip > s.segLimit[CpuState.CS]) throw c.fault(Cpu.GP, 0);
        long host = translate(gva);
        if (debug.active && (mode & Block.STEP) == 0) {
            if (debug.stepsAt(gva)) return look;
            if (debug.breaksIn(gva & SoftTlb.PAGE)) return fetchCut(gva, host, mode | Block.CUT);
        }
        if (host == Intercepts.T_MMIO) return fetchFromDevice(gva, mode);
        code.trim();
        CodePage page = code.pageForCode(host & ~0xfffL);
        Block b = page == null ? null : page.find(host, mode);
        if (b == null) {
            b = builder.build(host, mode);
            if (b != null && page != null) code.add(b, page, null, c.tlb);
        }
        if (b != null && b.secondPage == 0) return b;
        return fetchCrossing(gva, host, page, b, mode);
    }

    /** The same in a page with breakpoints. A block that was cut for others, or for another mapping of the page, is made anew. */
    private Block fetchCut(long gva, long host, int mode) {
        if (host == Intercepts.T_MMIO) return fetchFromDevice(gva, mode);
        code.trim();
        CodePage page = code.pageForCode(host & ~0xfffL);
        Block b = page == null ? null : page.find(host, mode);
        if (b != null && (b.cutGeneration != debug.generation || b.cutPage != (gva & SoftTlb.PAGE))) {
            b.valid = false;
            b = null;
        }
        if (b == null) {
            b = builder.build(host, mode, debug, gva);
            if (b == null) return fetchCrossing(gva, host, page, null, mode);
            if (page != null) code.add(b, page, null, c.tlb);
        }
        return b;
    }

    private Block fetchCrossing(long gva, long host, CodePage page, Block known, int mode) {
        long second = translate((gva | 0xfff) + 1 & 0xffffffffL);
        if (second == Intercepts.T_MMIO) return fetchFromDevice(gva, mode);
        if (known != null && known.secondPage == second) return known;
        if (known != null) known.valid = false;
        Block b = builder.crossing(host, second, mode);
        CodePage page2 = code.pageForCode(second);
        if (page != null && page2 != null) code.add(b, page, b.bytes > 0x1000 - b.pageOffset() ? page2 : null, c.tlb);
        return b;
    }

    /** Code in a device: read byte by byte, decoded anew each time. */
    private Block fetchFromDevice(long gva, int mode) {
        byte[] bytes = new byte[Decoder.MAX_LENGTH];
        for (int n = 0; n < bytes.length; n++) {
            long at = gva + n & 0xffffffffL;
            if (n > 0 && (at & 0xfff) == 0 || n == 0) {
                if (translate(at) != Intercepts.T_MMIO) break;
            }
            c.answer(c.calls.mmioRead(v, (v.gpa & ~0xfffL) + (at & 0xfff), 1));
            bytes[n] = (byte) v.ioValue;
        }
        return builder.detached(bytes, mode);
    }

    // ---- between instructions ----

    private int boundary() {
        for (;;) {
            // Before the traps of the last instruction, which stay pending (SDM 3C 25.5.2).
            if (trapOwed && v.monitorTrap) {
                here();
                v.insnLength = 0;
                v.instructions = c.retired;
                c.calls.monitorTrap(v);
                return Emulator.EXITED;
            }
            if (debug.active && debug.stopped()) return Emulator.DEBUG_STOP;
            if (s.pendingDebug != 0 && (s.blocking & CpuState.BLOCKING_MOV_SS) == 0) {
                if (trap() == Intercepts.EXIT) return Emulator.EXITED;
                continue;
            }
            if (v.leave) return Emulator.LEFT;
            if (s.activity != CpuState.ACTIVE) return Emulator.HALTED;
            if (c.retired >= limit) return Emulator.BUDGET;
            if (v.nmiWindow && (s.blocking & (CpuState.BLOCKING_NMI | CpuState.BLOCKING_MOV_SS)) == 0) {
                if (window(c.calls.nmiWindow(v)) == Intercepts.EXIT) return Emulator.EXITED;
            }
            if (v.interruptWindow && s.interruptible()) {
                if (window(c.calls.interruptWindow(v)) == Intercepts.EXIT) return Emulator.EXITED;
            }
            if (v.leave || !stepping()) return v.leave ? Emulator.LEFT : GO_ON;
            if (debug.active && debug.stopsBefore(s.linearRip(), c.retired)) return Emulator.DEBUG_STOP;
            step();
        }
    }

    private int window(int answer) {
        here();
        c.updateMode();
        return answer;
    }

    private boolean stepping() {
        return v.monitorTrap
                || (s.rflagsOther & (CpuState.TF | CpuState.RF)) != 0
                || (s.blocking & (CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS)) != 0
                || exact && limit - c.retired < BlockBuilder.MAX_INSTRUCTIONS
                || c.dataBreakpoints
                || DebugRegisters.watchesCode(s.dr[7])
                || debug.active && (c.wantsSingle || debug.stepsAt(s.linearRip()));
    }

    /** A debug trap, as pending from the last instruction. */
    private int trap() {
        here();
        v.insnLength = 0;
        v.instructions = c.retired;
        return Delivery.debugTrap(c);
    }

    /** Runs one instruction, with all that follows from TF, RF, interrupt shadows and instruction breakpoints. */
    private void step() {
        resumeFlag = (s.rflagsOther & CpuState.RF) != 0;
        boolean trap = (s.rflagsOther & CpuState.TF) != 0;
        int shadow = s.blocking & (CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        if (!resumeFlag && (shadow & CpuState.BLOCKING_MOV_SS) == 0 && DebugRegisters.watchesCode(s.dr[7])) {
            int hits = s.instructionBreakpoints();
            if (hits != 0) {
                here();
                s.pendingDebug |= hits;
                throw c.fault(Cpu.DB, Cpu.NO_ERROR);
            }
        }
        c.single = true;
        c.wantsSingle = false;
        stepRcx = s.gpr[CpuState.RCX];
        Block b = find(c.mode | Block.STEP);
        s.rflagsOther &= ~CpuState.RF;
        c.eventEntered = false;
        c.blockRip = s.rip;
        c.end = 1;
        for (Op op : b.body) op.run(c);
        b.end.run(c);
        resumeFlag = false;
        trapOwed = true;
        c.retired++;
        s.blocking &= ~shadow;
        debug.completed();
        if (trap && !c.eventEntered && (s.blocking & CpuState.BLOCKING_MOV_SS) == 0) s.pendingDebug |= DebugRegisters.BS;
    }

    // ---- unwinding ----

    /**
     * An instruction did not complete. After RETRY and EXIT the state is the one that the call left behind: a page-fault exit
     * may have emulated the instruction and stepped over it.
     */
    private int unwound(int kind) {
        debug.dropped();
        if (kind == Unwind.FAULT) {
            s.rip = c.rip();
            v.instructions = c.retired + c.index;
            s.blocking &= ~(CpuState.BLOCKING_STI | CpuState.BLOCKING_MOV_SS);
        } else {
            if (resumeFlag && s.rip == c.rip()) s.rflagsOther |= CpuState.RF;
            if (s.rip != c.rip() || s.gpr[CpuState.RCX] != stepRcx) trapOwed = true;
        }
        resumeFlag = false;
        c.retired = v.instructions;
        here();
        if (kind == Unwind.EXIT) return Emulator.EXITED;
        if (kind == Unwind.FAULT) {
            int answer = Delivery.fault(c);
            // The exit may have emulated the instruction that trapped.
            c.retired = v.instructions;
            if (answer == Intercepts.EXIT) return Emulator.EXITED;
            here();
            trapOwed = true;
        }
        c.updateMode();
        return GO_ON;
    }
}
