package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.Vm;
import org.backplane.kvm.spi.exit.ExitHandler.Result;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What other threads do to a VM while one of them is inside KVM_RUN. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class OtherThreadsTest {
    private final HandMadeVm hand = new HandMadeVm();

    @AfterEach
    void close() {
        hand.close();
    }

    /** Runs the vCPU on another thread. */
    private CompletableFuture<Exit> runElsewhere() {
        return CompletableFuture.supplyAsync(() -> hand.vcpu.run().exitReason);
    }

    /** Waits until the guest has counted on in the double word at a000. */
    private void awaitProgress() throws InterruptedException {
        byte[] before = hand.vm.readMemory(0xa000, 4);
        while (Arrays.equals(before, hand.vm.readMemory(0xa000, 4))) Thread.sleep(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void memoryRegionsChangeUnderARunningGuest(String mmu) throws Exception {
        // again: inc dword [a000]; mov eax,[200000]; cmp eax,77; jne again; hlt
        hand.boot(mmu, "ff 05 00a00000 a1 00002000 83 f8 77 75 f0 f4");
        hand.vm.setMemoryRegion(1, 0, 0x200000, 4096);
        CompletableFuture<Exit> run = runElsewhere();
        for (int i = 0; i < 50; i++) {
            awaitProgress();
            hand.vm.setMemoryRegion(2, 0, 0x400000, 0x100000);
            hand.vm.setMemoryRegion(2, 0, 0, 0);
        }
        assertFalse(run.isDone());
        hand.vm.writeMemory(0x200000, new byte[] {0x77});
        assertEquals(Exit.HLT, run.get());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aWriteToRunningCodeIsExecuted(String mmu) throws Exception {
        hand.boot(mmu, "ff 05 00a00000 eb f8 f4"); // again: inc dword [a000]; jmp again; hlt
        CompletableFuture<Exit> run = runElsewhere();
        awaitProgress();
        hand.vm.writeMemory(HandMadeVm.CODE + 6, new byte[] {(byte) 0x90, (byte) 0x90});
        assertEquals(Exit.HLT, run.get());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void theDirtyLogLosesNoWriteOfARunningGuest(String mmu) throws Exception {
        // again: inc dword [a000]; mov ebx,[a000]; and ebx,3f; shl ebx,12; inc dword [ebx+10000]; jmp again
        hand.boot(mmu, "ff 05 00a00000 8b 1d 00a00000 83 e3 3f c1 e3 0c ff 83 00000100 eb e6");
        hand.vm.setMemoryRegion(0, Vm.MEM_LOG_DIRTY_PAGES, 0, 1 << 20);
        CompletableFuture<Exit> run = runElsewhere();
        byte[] copy = hand.vm.readMemory(0, 1 << 20);
        for (int i = 0; i < 200; i++) copyDirty(copy);
        awaitProgress();
        assertTrue(copyDirty(copy).get(0xa), "the guest wrote meanwhile");
        hand.vcpu.kick();
        assertEquals(Exit.INTR, run.get());
        copyDirty(copy);
        // Whoever copies the pages that the log names, as a migration does, has the guest's memory.
        assertEquals(-1, Arrays.mismatch(hand.vm.readMemory(0, 1 << 20), copy));
    }

    private BitSet copyDirty(byte[] copy) {
        BitSet dirty = hand.vm.getDirtyLog(0);
        for (int p = dirty.nextSetBit(0); p >= 0; p = dirty.nextSetBit(p + 1)) {
            System.arraycopy(hand.vm.readMemory(p * 4096L, 4096), 0, copy, p * 4096, 4096);
        }
        return dirty;
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void closingTheVmEndsARunWithEnodev(String mmu) throws Exception {
        hand.boot(mmu, "ff 05 00a00000 eb f8");
        CompletableFuture<Exit> run = runElsewhere();
        awaitProgress();
        hand.vm.close();
        Throwable cause = assertThrows(ExecutionException.class, run::get).getCause();
        assertEquals(Errno.ENODEV, ((KvmException) cause).errno());
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void aChangeFromInsideRunIsRefused(String mmu) {
        hand.boot(mmu, "0f a2 f4"); // cpuid; hlt
        Errno[] got = {null};
        BitSet cpuid = new BitSet();
        cpuid.set(ExitReasons.CPUID);
        hand.vm.setForeignHandlers(List.of(new KvmVm.ForeignHandler(
                (v, e) -> {
                    KvmException refusal = assertThrows(KvmException.class, () -> hand.vm.setMemoryRegion(1, 0, 0x200000, 4096));
                    got[0] = refusal.errno();
                    return Result.PASS;
                },
                cpuid)));
        hand.run(Exit.HLT);
        assertEquals(Errno.EBUSY, got[0]);
    }
}
