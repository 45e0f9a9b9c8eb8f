package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.spi.exit.ExitHandler.Result;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.backplane.kvm.spi.mmu.AuditReport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * vCPUs of one VM, each run on a thread of its own. Paging is on, with one directory (20000) and one table (21000) for all, which map the first MiB at its own
 * address.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SeveralVcpusTest {
    private static final long DIRECTORY = 0x20000, TABLE = 0x21000, CODE = 0x4000;

    private final HandMadeVm hand = new HandMadeVm();

    @AfterEach
    void close() {
        hand.close();
    }

    private void boot(String mmu) {
        hand.boot(mmu, "f4");
        hand.vm.memory().write(DIRECTORY, 4, TABLE | 3);
        for (int i = 0; i < 256; i++) hand.vm.memory().write(TABLE + 4 * i, 4, (long) i << 12 | 3);
        hand.vm.createVcpu(1);
        KvmSregs s = hand.vcpu.getSregs();
        s.cr3 = DIRECTORY;
        s.cr0 = 0x8001_0011L;
        for (KvmVcpu c : hand.vm.vcpus()) c.setSregs(s);
    }

    /** Code and registers of a vCPU. */
    private void program(int id, String hex, long ebx, long ecx, long esi) {
        long at = CODE + 0x1000L * id;
        hand.vm.writeMemory(at, HexFormat.of().parseHex(hex.replace(" ", "")));
        KvmRegs r = new KvmRegs();
        r.rip = at;
        r.rflags = 2;
        r.gpr[KvmRegs.RSP] = 0x8000 + 0x1000L * id;
        r.gpr[KvmRegs.RBX] = ebx;
        r.gpr[KvmRegs.RCX] = ecx;
        r.gpr[KvmRegs.RSI] = esi;
        hand.vm.vcpus().get(id).setRegs(r);
    }

    private CompletableFuture<Exit> run(int id) {
        KvmVcpu c = hand.vm.vcpus().get(id);
        CompletableFuture<Exit> end = new CompletableFuture<>();
        new Thread(() -> {
            try {
                end.complete(c.run().exitReason);
            } catch (Throwable e) {
                end.completeExceptionally(e);
            }
        }, "vcpu-" + id).start();
        return end;
    }

    private long memory(long gpa) {
        return hand.vm.memory().read(gpa, 4);
    }

    /** Each vCPU points an entry of the table that both use to another page again and again, and counts there and in a word that both use. */
    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct"})
    void theyChangeTheSameTablesAndLoseNothing(String mmu) throws Exception {
        boot(mmu);
        int times = 200_000;
        List<CompletableFuture<Exit>> ends = new ArrayList<>();
        for (int id = 0; id < 2; id++) {
            int page = 0x40 + 2 * id;
            // again: xor dword [esi],1000; invlpg [ebx]; inc dword [ebx]; inc dword [a000]; dec ecx; jnz again; hlt
            program(id, "81 36 00100000 0f 01 3b ff 03 ff 05 00a00000 49 75 ec f4", (long) page << 12, times, TABLE + 4L * page);
        }
        for (int id = 0; id < 2; id++) ends.add(run(id));
        for (CompletableFuture<Exit> e : ends) assertEquals(Exit.HLT, e.get());
        assertEquals(2 * times, memory(0xa000));
        for (int page = 0x40; page < 0x44; page++) assertEquals(times / 2, memory((long) page << 12), "page " + page);
        AuditReport audit = hand.vm.auditor().audit();
        assertEquals(List.of(), audit.violations());
    }

    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct"})
    void oneThatWaitsForTheOtherInALoopDoesNotKeepItOut(String mmu) throws Exception {
        boot(mmu);
        // again: cmp dword [a000],ebx; jne again; xor dword [a000],1; dec ecx; jnz again; hlt: each waits for its own number, and turns it over
        String pingPong = "39 1d 00a00000 75 f8 83 35 00a00000 01 49 75 ee f4";
        program(0, pingPong, 0, 20, 0);
        program(1, pingPong, 1, 20, 0);
        CompletableFuture<Exit> first = run(0), second = run(1);
        assertEquals(Exit.HLT, first.get());
        assertEquals(Exit.HLT, second.get());
        assertEquals(0, memory(0xa000));
    }

    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct"})
    void whileTheyRunMemoryChangesAndOthersAreLookedAt(String mmu) throws Exception {
        boot(mmu);
        hand.vm.createVcpu(2).setSregs(hand.vcpu.getSregs());
        for (int id = 0; id < 2; id++) {
            int page = 0x40 + 2 * id;
            program(id, "81 36 00100000 0f 01 3b ff 03 eb f3", (long) page << 12, 0, TABLE + 4L * page); // without an end
        }
        CompletableFuture<Exit> first = run(0), second = run(1);
        for (int i = 0; i < 50 || memory(0x40000) == 0 || memory(0x42000) == 0; i++) {
            Thread.sleep(1);
            hand.vm.setMemoryRegion(1, 0, 0x400000, 0x10000);
            assertEquals(0x5000, hand.vm.vcpus().get(2).translate(0x5000).physicalAddress());
            KvmSregs s = hand.vm.vcpus().get(2).getSregs();
            s.cr3 ^= 0x18; // the caching bits: another value for the same tables
            hand.vm.vcpus().get(2).setSregs(s);
            hand.vm.setMemoryRegion(1, 0, 0, 0);
        }
        for (KvmVcpu c : hand.vm.vcpus()) c.kick();
        assertEquals(Exit.INTR, first.get());
        assertEquals(Exit.INTR, second.get());
        assertEquals(List.of(), hand.vm.auditor().audit().violations());
    }

    @ParameterizedTest
    @ValueSource(strings = {"shadow", "direct"})
    void anotherVcpuCannotBeRunFromInsideARun(String mmu) {
        boot(mmu);
        program(0, "0f a2 f4", 0, 0, 0); // cpuid; hlt
        Errno[] got = {null};
        BitSet cpuid = new BitSet();
        cpuid.set(ExitReasons.CPUID);
        hand.vm.setForeignHandlers(List.of(new KvmVm.ForeignHandler(
                (v, e) -> {
                    got[0] = assertThrows(KvmException.class, () -> hand.vm.vcpus().get(1).run()).errno();
                    return Result.PASS;
                },
                cpuid)));
        hand.run(Exit.HLT);
        assertEquals(Errno.EBUSY, got[0]);
    }
}
