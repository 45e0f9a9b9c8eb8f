package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.*;

import java.util.HexFormat;
import java.util.List;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.Vcpu;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A VM driven by hand over the KVM API, with no card at all, as qemu drove KVM in 2007: the test is the one who serves the exits. Flat 32-bit
 * protected mode, code at 0x1000, with each MMU.
 */
class KvmByHandTest {
    private static final long CODE = HandMadeVm.CODE;
    private final HandMadeVm hand = new HandMadeVm();
    private final KvmVm vm = hand.vm;
    private KvmVcpu vcpu;

    @AfterEach
    void close() {
        hand.close();
        assertEquals(List.of(), hand.faults);
    }

    private void boot(String mmu, String hex) {
        hand.boot(mmu, hex);
        vcpu = hand.vcpu;
    }

    /** IDT at 3000 with an interrupt gate for vector 0x21 to 10:1100, where the guest halts; GDT at 4000. */
    private void withInterruptHandler() {
        vm.writeMemory(0x1100, new byte[] {(byte) 0xf4});
        vm.writeMemory(0x3000 + 0x21 * 8, HexFormat.of().parseHex("00111000008e0000"));
        vm.writeMemory(0x4010, HexFormat.of().parseHex("ffff0000009bcf00"));
        KvmSregs s = vcpu.getSregs();
        s.idt = new KvmSregs.Table(0x3000, 0x7ff);
        s.gdt = new KvmSregs.Table(0x4000, 0x1f);
        vcpu.setSregs(s);
    }

    private KvmRun run(Exit expected) {
        return hand.run(expected);
    }

    private long rip() {
        return hand.rip();
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void outLeavesWithItsInstructionDone(String mmu) {
        boot(mmu, "b0 5a e6 42 f4"); // mov al,5a; out 42,al; hlt
        KvmRun run = run(Exit.IO);
        assertTrue(run.ioOut);
        assertEquals(0x42, run.ioPort);
        assertEquals(1, run.ioSize);
        assertEquals(0x5a, run.dataValue(1));
        assertEquals(CODE + 4, rip());
        run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void inIsCompletedByTheNextRun(String mmu) {
        boot(mmu, "66 b8 ff ff e4 42 f4"); // mov ax,ffff; in al,42; hlt
        KvmRun run = run(Exit.IO);
        assertFalse(run.ioOut);
        run.setData(1, 0x77);
        run(Exit.HLT);
        assertEquals(0xff77, vcpu.getRegs().gpr[KvmRegs.RAX] & 0xffff);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void insReadsEachElementFromTheCaller(String mmu) {
        // mov edi,2000; mov ecx,3; mov dx,100; rep insb; hlt
        boot(mmu, "bf 00200000 b9 03000000 66 ba 0001 f3 6c f4");
        for (int i = 0; i < 3; i++) {
            KvmRun run = run(Exit.IO);
            assertEquals(0x100, run.ioPort);
            run.setData(1, 0x41 + i);
        }
        run(Exit.HLT);
        assertArrayEquals("ABC".getBytes(), vm.readMemory(0x2000, 3));
        assertEquals(0, vcpu.getRegs().gpr[KvmRegs.RCX]);
        assertEquals(0x2003, vcpu.getRegs().gpr[KvmRegs.RDI]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void mmioReadIsExecutedAgainWithTheCallersData(String mmu) {
        boot(mmu, "a1 0000f0ff f4"); // mov eax,[fff00000]; hlt
        KvmRun run = run(Exit.MMIO);
        assertEquals(0xfff00000L, run.mmioAddress);
        assertEquals(4, run.mmioLength);
        assertFalse(run.mmioWrite);
        assertEquals(CODE, rip());
        run.setData(4, 0xcafebabeL);
        run(Exit.HLT);
        assertEquals(0xcafebabeL, vcpu.getRegs().gpr[KvmRegs.RAX]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void readModifyWriteOnMmioReadsAndThenWrites(String mmu) {
        boot(mmu, "ff 05 0000f0ff f4"); // inc dword [fff00000]; hlt
        run(Exit.MMIO).setData(4, 41);
        KvmRun run = run(Exit.MMIO);
        assertTrue(run.mmioWrite);
        assertEquals(42, run.dataValue(4));
        run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aStoreAcrossTwoMmioPagesIsReportedWhole(String mmu) {
        boot(mmu, "b8 44332211 a3 fe0ff0ff f4"); // mov eax,11223344; mov [fff00ffe],eax; hlt
        byte[] device = new byte[4];
        KvmRun run = vcpu.run();
        while (run.exitReason == Exit.MMIO) {
            assertTrue(run.mmioWrite);
            for (int i = 0; i < run.mmioLength; i++) device[(int) (run.mmioAddress + i - 0xfff00ffeL)] = run.data[i];
            run = vcpu.run();
        }
        assertEquals(Exit.HLT, run.exitReason);
        assertArrayEquals(new byte[] {0x44, 0x33, 0x22, 0x11}, device);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anInstructionThatWritesManyMmioPlacesReportsThemAllInOrder(String mmu) {
        boot(mmu, "db e3 dd 35 0000f0ff f4"); // fninit; fnsave [fff00000]; hlt
        byte[] device = new byte[108];
        long last = -1;
        KvmRun run = vcpu.run();
        while (run.exitReason == Exit.MMIO) {
            assertTrue(run.mmioAddress > last, "one after the other");
            last = run.mmioAddress;
            for (int i = 0; i < run.mmioLength; i++) device[(int) (run.mmioAddress + i - 0xfff00000L)] = run.data[i];
            run = vcpu.run();
        }
        assertEquals(Exit.HLT, run.exitReason);
        assertEquals(0x37f, device[0] & 0xff | (device[1] & 0xff) << 8);
        assertEquals(0xffff, device[8] & 0xff | (device[9] & 0xff) << 8);
        assertTrue(last >= 0xfff00000L + 100);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anInstructionThatReadsManyMmioPlacesGetsThemAll(String mmu) {
        boot(mmu, "dd 25 0000f0ff dd 35 00a00000 f4"); // frstor [fff00000]; fnsave [a000]; hlt
        byte[] image = new byte[108];
        for (int i = 28; i < 108; i++) image[i] = (byte) (i * 7);
        image[0] = 0x7f;
        image[1] = 3;
        KvmRun run = vcpu.run();
        int reads = 0;
        while (run.exitReason == Exit.MMIO) {
            assertFalse(run.mmioWrite);
            int at = (int) (run.mmioAddress - 0xfff00000L);
            for (int i = 0; i < run.mmioLength; i++) run.data[i] = image[at + i];
            assertTrue(++reads < 200, "the instruction finishes");
            run = vcpu.run();
        }
        assertEquals(Exit.HLT, run.exitReason);
        byte[] saved = vm.readMemory(0xa000, 108);
        assertArrayEquals(java.util.Arrays.copyOfRange(image, 28, 108), java.util.Arrays.copyOfRange(saved, 28, 108));
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aMoveBetweenTwoMmioPlacesReadsAndThenWrites(String mmu) {
        // mov esi,fff00000; mov edi,fff10000; movsd; hlt
        boot(mmu, "be 0000f0ff bf 0000f1ff a5 f4");
        run(Exit.MMIO).setData(4, 0x1234567);
        KvmRun run = run(Exit.MMIO);
        assertTrue(run.mmioWrite);
        assertEquals(0xfff10000L, run.mmioAddress);
        assertEquals(0x1234567, run.dataValue(4));
        run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void theDebugTrapOfAHltComesAtOnce(String mmu) {
        // pushf; or dword [esp],100; popf; hlt   the handler of vector 1 at 1100 halts
        boot(mmu, "9c 81 0c 24 00010000 9d f4");
        withInterruptHandler();
        vm.writeMemory(0x3000 + 8, HexFormat.of().parseHex("00111000008e0000"));
        run(Exit.HLT);
        // The trap is for the HLT: the first instruction after POPF.
        if (rip() != 0x1101) run(Exit.HLT);
        assertEquals(0x1101, rip());
        assertEquals(CODE + 10, vm.readMemory(0x8000 - 12, 2)[0] & 0xff | (vm.readMemory(0x8000 - 12, 2)[1] & 0xff) << 8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aTripleFaultIsShutdown(String mmu) {
        boot(mmu, "0f 0b"); // ud2 without an IDT
        run(Exit.SHUTDOWN);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aKickEndsTheNextRunWithIntr(String mmu) {
        boot(mmu, "eb fe"); // jmp $
        vcpu.kick();
        run(Exit.INTR);
        Thread kicker = new Thread(() -> {
            try {
                Thread.sleep(20);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            vcpu.kick();
        });
        kicker.start();
        run(Exit.INTR);
        assertEquals(CODE, rip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aQueuedInterruptIsDeliveredWhenTheGuestCanTakeIt(String mmu) {
        // nop; sti; nop; jmp $   handler at 1100: hlt
        boot(mmu, "90 fb 90 eb fe");
        withInterruptHandler();
        vcpu.interrupt(0x21);
        run(Exit.HLT);
        assertEquals(0x1101, rip());
        assertEquals(Errno.EINVAL, assertThrows(KvmException.class, () -> vcpu.interrupt(256)).errno());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void anInterruptBetweenAnMmioReadAndItsAnswerWaitsForTheInstruction(String mmu) {
        // sti; mov eax,[fff00000]; nop; jmp $   handler at 1100: hlt
        boot(mmu, "fb a1 0000f0ff 90 eb fe");
        withInterruptHandler();
        KvmRun run = run(Exit.MMIO);
        assertFalse(run.readyForInterruptInjection);
        run.setData(4, 0x1234);
        vcpu.interrupt(0x21);
        run(Exit.HLT);
        assertEquals(0x1101, rip());
        assertEquals(0x1234, vcpu.getRegs().gpr[KvmRegs.RAX]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aResetDropsARequestedNmi(String mmu) {
        boot(mmu, "f4");
        withInterruptHandler();
        vm.writeMemory(0x3000 + 2 * 8, HexFormat.of().parseHex("00111000008e0000"));
        KvmSregs s = vcpu.getSregs();
        KvmRegs r = vcpu.getRegs();
        for (boolean reset : new boolean[] {false, true}) {
            vcpu.nmi();
            if (reset) vcpu.reset();
            vcpu.setSregs(s);
            vcpu.setRegs(r);
            run(Exit.HLT);
            assertEquals(reset ? CODE + 1 : 0x1101, rip());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void theInterruptWindowIsReported(String mmu) {
        boot(mmu, "90 90 fb 90 90 f4"); // nop nop sti nop nop hlt
        vcpu.kvmRun().requestInterruptWindow = true;
        KvmRun run = run(Exit.IRQ_WINDOW_OPEN);
        assertTrue(run.readyForInterruptInjection);
        // The instruction after STI still belongs to it.
        assertEquals(CODE + 4, rip());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void cpuidComesFromTheTableMaskedWithWhatTheEmulatorCan(String mmu) {
        boot(mmu, "b8 01000000 0f a2 f4"); // mov eax,1; cpuid; hlt
        vcpu.setCpuid(List.of(
                new Vcpu.CpuidEntry(0, 1, 0, 0, 0), new Vcpu.CpuidEntry(1, 0x123, 0x456, 0xffffffff, 0xffffffff)));
        run(Exit.HLT);
        KvmRegs r = vcpu.getRegs();
        assertEquals(0x123, r.gpr[KvmRegs.RAX]);
        assertEquals(0x456, r.gpr[KvmRegs.RBX]);
        assertEquals(vm.cpuFeatures() & 0xffffffffL, r.gpr[KvmRegs.RDX]);
    }

    @Test
    @Timeout(value = 20, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void anInterruptFrameOnAPageThatIsStillShadowedIsPushed() {
        // mov eax,[400000]; sti; inc ecx; jmp back   handler at 1100: hlt
        boot("shadow", "a1 00004000 fb 41 eb fd");
        withInterruptHandler();
        byte[] identity = new byte[4096];
        for (int i = 0; i < 256; i++) {
            identity[4 * i] = 3;
            identity[4 * i + 1] = (byte) (i << 4);
            identity[4 * i + 2] = (byte) (i >> 4);
        }
        vm.writeMemory(0x6000, identity);
        vm.writeMemory(0x5000, new byte[] {3, 0x60, 0, 0, 3, 0x70, 0, 0}); // tables at 6000 and 7000
        vm.writeMemory(0x7000, new byte[] {3, (byte) 0x90, 0, 0});
        KvmSregs s = vcpu.getSregs();
        s.cr3 = 0x5000;
        s.cr0 |= 0x80010000L;
        vcpu.setSregs(s);
        // The stack ends in the table at 7000, which the load through 400000 makes the MMU shadow.
        vcpu.interrupt(0x21);
        run(Exit.HLT);
        assertEquals(0x1101, rip());
        assertEquals(0x8000 - 12, vcpu.getRegs().gpr[KvmRegs.RSP]);
        assertEquals(0x10, vm.readMemory(0x8000 - 8, 1)[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void msrCallsStopAtTheFirstFailure(String mmu) {
        boot(mmu, "f4");
        assertEquals(
                1,
                vcpu.setMsrs(List.of(
                        new Vcpu.MsrEntry(0x174, 8), new Vcpu.MsrEntry(0x12345, 0), new Vcpu.MsrEntry(0x175, 9))));
        assertEquals(List.of(8L), vcpu.getMsrs(List.of(0x174, 0x12345, 0x175)));
        List<Integer> many = java.util.Collections.nCopies(256, 0x174);
        assertEquals(Errno.E2BIG, assertThrows(KvmException.class, () -> vcpu.getMsrs(many)).errno());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void translateWalksTheGuestsTables(String mmu) {
        boot(mmu, "f4");
        assertEquals(0x1234, vcpu.translate(0x1234).physicalAddress());
        vm.writeMemory(0x5000, new byte[] {0x07, 0x60, 0, 0}); // PDE 0 -> table 6000, P W U
        vm.writeMemory(0x6000 + 4 * 7, new byte[] {0x01, (byte) 0x90, 0, 0}); // page 7 -> 9000, read-only supervisor
        KvmSregs s = vcpu.getSregs();
        s.cr3 = 0x5000;
        s.cr0 |= 0x80010000L;
        vcpu.setSregs(s);
        Vcpu.Translation t = vcpu.translate(0x7123);
        assertEquals(new Vcpu.Translation(0x7123, 0x9123, true, false, false), t);
        assertFalse(vcpu.translate(0x8000).valid());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void theDirtyLogHasWhatTheGuestWrote(String mmu) {
        boot(mmu, "c6 05 34a00000 01 f4 c6 05 34a00000 02 f4"); // mov byte [a034],1; hlt; again
        vm.setMemoryRegion(0, org.backplane.kvm.api.Vm.MEM_LOG_DIRTY_PAGES, 0, 1 << 20);
        run(Exit.HLT);
        assertEquals("{10}", vm.getDirtyLog(0).toString());
        run(Exit.HLT);
        assertEquals("{10}", vm.getDirtyLog(0).toString());
        assertTrue(vm.getDirtyLog(0).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aSecondVcpuOfTheSameIdExistsAlready(String mmu) {
        boot(mmu, "f4");
        assertEquals(Errno.EEXIST, assertThrows(KvmException.class, () -> vm.createVcpu(0)).errno());
        assertEquals(1, vm.createVcpu(1).id());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void theMmuCanBeReplacedBetweenTwoRuns(String mmu) {
        boot(mmu, "b0 01 e6 10 b0 02 e6 10 f4");
        assertEquals(1, run(Exit.IO).dataValue(1));
        hand.install(mmu.equals("shadow") ? "direct" : "shadow");
        assertEquals(2, run(Exit.IO).dataValue(1));
        run(Exit.HLT);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aWriteToCodeByTheCallerIsSeen(String mmu) {
        boot(mmu, "b0 01 e6 10 eb fa"); // loop: mov al,1; out 10,al; jmp loop
        assertEquals(1, run(Exit.IO).dataValue(1));
        assertEquals(1, run(Exit.IO).dataValue(1));
        vm.writeMemory(CODE + 1, new byte[] {9});
        assertEquals(9, run(Exit.IO).dataValue(1));
    }
}
