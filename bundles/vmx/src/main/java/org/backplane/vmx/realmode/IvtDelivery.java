package org.backplane.vmx.realmode;

import static org.backplane.kvm.spi.cpu.CpuState.*;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.cpu.VcpuContext;

/**
 * Delivers events to a guest in real mode by hand: VM entry would send them through a protected-mode IDT. Reads the vector from the table at
 * IDTR, pushes FLAGS, CS and IP, clears IF, TF and AC (SDM 3B 20.1.4).
 *
 * <p>A fault on the way (a vector beyond the table's limit, a stack that ends inside a word) becomes the event in its place, #DF after an exception
 * that contributes, and after #DF a triple fault (SDM 3A table 6-5). Real mode pushes no error codes.
 *
 * <p>Memory is reached through the one door, which drops what is for a ROM, and devices over the exit dispatch, with the accesses that the processor would
 * make; there is no paging. A table in a device whose reads the caller of the API answers has the guest left before anything is pushed; the event waits
 * in {@code state.injectInfo} for the next entry. Works on the guest's view.
 *
 * <p><b>Thread.</b> That of the vCPU.
 */
final class IvtDelivery {
    private static final int DOUBLE_FAULT = 8, STACK_FAULT = 12, GENERAL_PROTECTION = 13;
    private static final int ENTERED = -1, OWED = -2;
    private static final long LOW32 = 0xffffffffL;

    private final VcpuContext v;
    private final CpuState s;

    /** A read must be answered by the caller of the API first. */
    private boolean owed;

    IvtDelivery(VcpuContext v) {
        this.v = v;
        this.s = v.state;
    }

    /**
     * Delivers {@code state.injectInfo} and clears it.
     *
     * @return {@link RealModeUnit#DELIVERED}, {@link RealModeUnit#TRIPLE_FAULT}, or {@link RealModeUnit#LEFT}: the event waits
     */
    int deliver() {
        int info = s.injectInfo;
        s.injectInfo = 0;
        boolean software = (info & INFO_TYPE) >= TYPE_SOFTWARE_INTERRUPT;
        long rip = software ? s.rip + s.injectLength & LOW32 : s.rip;
        while (true) {
            v.trace.delivering(v, info, 0);
            int fault = enter(info & 0xff, rip);
            if (fault == ENTERED) break;
            if (fault == OWED) {
                s.injectInfo = info;
                return RealModeUnit.LEFT;
            }
            boolean exception = (info & INFO_TYPE) == TYPE_HARDWARE_EXCEPTION;
            if (exception && (info & 0xff) == DOUBLE_FAULT) return RealModeUnit.TRIPLE_FAULT;
            int next = exception && contributory(info & 0xff) ? DOUBLE_FAULT : fault;
            info = INFO_VALID | TYPE_HARDWARE_EXCEPTION | next;
            rip = s.rip;
        }
        if ((info & INFO_TYPE) == TYPE_NMI) s.blocking |= BLOCKING_NMI;
        s.blocking &= ~(BLOCKING_STI | BLOCKING_MOV_SS);
        s.activity = ACTIVE;
        v.debug.completed();
        return RealModeUnit.DELIVERED;
    }

    private static boolean contributory(int vector) {
        return vector == 0 || vector >= 10 && vector <= 13;
    }

    /** Enters the handler of a vector, or answers the exception met on the way, with nothing changed but memory below the stack. */
    private int enter(int vector, long rip) {
        if (vector * 4 + 3 > s.idtLimit) return GENERAL_PROTECTION;
        long mask = (s.segAr[SS] & AR_DB) != 0 ? LOW32 : 0xffff;
        long sp = s.gpr[RSP];
        if (!fits(sp - 2 & mask) || !fits(sp - 4 & mask) || !fits(sp - 6 & mask)) return STACK_FAULT;
        owed = false;
        int entry = (int) read(s.idtBase + vector * 4L, 4);
        if (owed) return OWED;
        write16(s.segBase[SS] + (sp - 2 & mask), (int) s.rflags());
        write16(s.segBase[SS] + (sp - 4 & mask), s.segSel[CS]);
        write16(s.segBase[SS] + (sp - 6 & mask), (int) rip);
        s.gpr[RSP] = sp & ~mask & LOW32 | sp - 6 & mask;
        s.segSel[CS] = entry >>> 16;
        s.segBase[CS] = (long) (entry >>> 16) << 4;
        s.rip = entry & 0xffff;
        s.rflagsOther &= ~(IF | TF | AC | RF);
        return ENTERED;
    }

    /** A word at this offset of the stack segment lies within its limit. */
    private boolean fits(long offset) {
        return offset + 1 <= s.segLimit[SS];
    }

    private static boolean crosses(long gva, int size) {
        return (gva & 0xfff) + size > 0x1000;
    }

    private long read(long gva, int size) {
        if (crosses(gva, size)) return read(gva, size / 2) | read(gva + size / 2, size / 2) << 4 * size;
        long gpa = gva & LOW32;
        if (v.memory.host(gpa) != 0) return v.memory.read(gpa, size);
        if (v.exits.mmioRead(v, gpa, size) == Intercepts.EXIT) owed = true;
        return v.ioValue;
    }

    private void write16(long gva, int value) {
        if (crosses(gva, 2)) {
            write(gva, 1, value & 0xff);
            write(gva + 1, 1, value >> 8 & 0xff);
        } else {
            write(gva, 2, value & 0xffff);
        }
    }

    private void write(long gva, int size, int value) {
        long gpa = gva & LOW32;
        if (v.memory.host(gpa) != 0) v.memory.write(gpa, size, value);
        else v.exits.mmioWrite(v, gpa, size, value);
    }
}
