package org.backplane.x86.emulate;

import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.HostMemory;
import org.backplane.kvm.spi.cpu.SoftTlb;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.backplane.x86.isa.oracle.UserMachine;
import org.backplane.x86.isa.oracle.UserModeContract;

/**
 * The interpreter, in bulk, as a subject of the oracle's tests: the code runs as a block that ends in a HLT, and the pages of
 * window and code are RAM at the addresses that they have in the host's process.
 */
final class OracleMachine extends TestMachine implements UserMachine {
    private static final int PAGE = 0x1000, HALT = 0xf4;

    private final byte[] window = new byte[UserModeContract.WINDOW];
    private long windowAddress, codeAddress;
    private int length;

    OracleMachine() {
        super(2 * PAGE);
        v.exceptionBitmap = -1;
    }

    @Override
    public CpuState state() {
        return s;
    }

    @Override
    public byte[] window() {
        return window;
    }

    @Override
    public void setWindow(long address) {
        windowAddress = address;
    }

    @Override
    public void load(long address, byte[] code) {
        codeAddress = address;
        length = code.length;
        int at = (int) address & PAGE - 1;
        write(at, code, 0, length);
        write(at + length, 1, HALT);
    }

    @Override
    public String run() {
        // CPL 0, for the HLT.
        s.cpl = 0;
        s.segAr[CpuState.SS] &= ~CpuState.AR_DPL;
        s.segAr[CpuState.CS] &= ~CpuState.AR_DPL;
        HostMemory.copy(window, 0, hostAddress(PAGE), window.length);
        log.clear();
        int reason = runToHalt();
        HostMemory.copy(hostAddress(PAGE), window, 0, window.length);
        if (!log.isEmpty()) return log.toString();
        if (s.activity != CpuState.HLT) return "no HLT: " + reason;
        s.activity = CpuState.ACTIVE;
        s.rip--;
        return null;
    }

    @Override
    public long translate(VcpuContext v, long gva, int access) {
        long page = gva & -PAGE, gpa;
        if (page == windowAddress) gpa = PAGE;
        else if (page == (codeAddress & -PAGE)) gpa = 0;
        else {
            s.cr2 = gva;
            v.fault(14, access);
            return T_FAULT;
        }
        boolean codePage = frames().codeMask(frame(gpa >> 12)) != 0;
        if ((access & WRITE) != 0) v.codePage = codePage;
        int half = (access & USER) != 0 ? SoftTlb.USER : SoftTlb.SUPERVISOR;
        v.tlb.fill(half, gva, hostAddress(gpa), true, !codePage, true, false);
        return hostAddress(gpa) + (gva & PAGE - 1);
    }

    @Override
    public int exception(VcpuContext v, int vector, int errorCode, long address) {
        super.exception(v, vector, errorCode, address);
        return EXIT;
    }
}
