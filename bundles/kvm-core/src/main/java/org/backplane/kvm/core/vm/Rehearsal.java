package org.backplane.kvm.core.vm;

import java.util.HexFormat;
import java.util.Map;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.KvmSregs.Segment;
import org.backplane.kvm.spi.cpu.RealMode;

/**
 * Cards of the CPU run a guest of their own before they get one that matters: a VM of 64 KiB in protected mode with paging, which computes a sum, calls
 * a function, reads a device in memory and writes a port. So the classes that a guest needs at once are loaded and linked, and cards that cannot run
 * anything together are known, while the real guest runs on with the old ones.
 *
 * <p><b>Threading.</b> Any thread. A card that never comes back keeps the caller, and not the machine.
 */
final class Rehearsal {
    private static final int MEMORY = 0x10000;
    private static final int CODE = 0x1000, DIRECTORY = 0x2000, SUM = 0x3000, STACK = 0x4000;
    private static final long CR0_PG_ET_PE = 0x80000011L, CR4_PSE = 0x10;

    /** Present, writable, 4 MiB: the lowest memory as it is, and behind it the device that is not there. */
    private static final byte[] PAGE = {(byte) 0x83, 0, 0, 0};

    private static final byte[] PROGRAM = HexFormat.of().parseHex(""
            + "b910000000" // mov ecx, 16
            + "a100300000" // again: mov eax, [SUM]
            + "01c8" // add eax, ecx
            + "a300300000" // mov [SUM], eax
            + "50" // push eax
            + "e810000000" // call f
            + "5a" // pop edx
            + "39d0" // cmp eax, edx
            + "750a" // jne done
            + "49" // dec ecx
            + "75e6" // jnz again
            + "a000000800" // mov al, [0x80000]
            + "e680" // out 0x80, al
            + "f4" // done: hlt
            + "83c800" // f: or eax, 0
            + "83e0ff" // and eax, -1
            + "c3"); // ret

    private static final int EXPECTED = 16 * 17 / 2;
    private static final int MOST_EXITS = 10;

    private Rehearsal() {}

    /**
     * @throws RuntimeException if the cards fail, or compute nonsense
     */
    static void run(CpuCards.Choice cards, RealMode realMode, Map<String, String> mmuProperties) {
        try (KvmVm vm = new KvmVm(VmHost.NONE, (slot, e) -> {}, mmuProperties, () -> {})) {
            vm.askRealMode(realMode);
            vm.setMemoryRegion(0, 0, 0, MEMORY);
            vm.writeMemory(CODE, PROGRAM);
            vm.writeMemory(DIRECTORY, PAGE);
            vm.installCpu(cards.backend(), cards.mmu(), cards.emulator());
            KvmVcpu cpu = vm.createVcpu(0);
            enter(cpu);
            Exit exit = cpu.run().exitReason;
            for (int i = 0; i < MOST_EXITS && (exit == Exit.MMIO || exit == Exit.IO); i++) exit = cpu.run().exitReason;
            int sum = vm.readMemory(SUM, 1)[0] & 0xff;
            if (exit != Exit.HLT || sum != EXPECTED) {
                throw new IllegalStateException("a rehearsal with a guest of a few instructions ended with exit " + exit
                        + (exit == Exit.HLT ? " and the sum " + sum + " for " + EXPECTED : "") + " " + cpu.kvmRun().message);
            }
        }
    }

    /** Protected mode with flat segments and paging. */
    private static void enter(KvmVcpu cpu) {
        KvmSregs s = cpu.getSregs();
        s.cs = new Segment(0, 0xffffffffL, 8, 0xb, true, 0, true, true, false, true, false, false);
        s.ds = s.es = s.ss = s.fs = s.gs = new Segment(0, 0xffffffffL, 16, 3, true, 0, true, true, false, true, false, false);
        s.cr0 = CR0_PG_ET_PE;
        s.cr3 = DIRECTORY;
        s.cr4 = CR4_PSE;
        cpu.setSregs(s);
        KvmRegs r = cpu.getRegs();
        r.rip = CODE;
        r.gpr[KvmRegs.RSP] = STACK;
        cpu.setRegs(r);
    }
}
