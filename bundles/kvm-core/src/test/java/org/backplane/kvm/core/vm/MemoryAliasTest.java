package org.backplane.kvm.core.vm;

import static org.junit.jupiter.api.Assertions.*;

import java.util.List;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.Vm;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** KVM_SET_MEMORY_ALIAS by hand, with each MMU. */
class MemoryAliasTest {
    private static final long WINDOW = 0xa0000, TARGET = 0x20_0000;
    private final HandMadeVm hand = new HandMadeVm();
    private final KvmVm vm = hand.vm;

    @AfterEach
    void close() {
        hand.close();
        assertEquals(List.of(), hand.faults);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void whatTheGuestWritesToTheWindowIsInTheTarget(String mmu) {
        hand.boot(mmu, "c605 05000a00 77 f4 a0 05000a00 f4"); // mov byte [a0005],77; hlt; mov al,[a0005]; hlt
        vm.setMemoryRegion(1, 0, TARGET, 0x20000);
        vm.setMemoryAlias(0, 0, WINDOW, 0x10000, TARGET + 0x10000);
        hand.run(Exit.HLT);
        assertEquals(0x77, vm.readMemory(TARGET + 0x10005, 1)[0]);
        assertEquals(0x77, vm.readMemory(WINDOW + 5, 1)[0]);
        // Another bank, as a VGA moves its window; then the slot's own memory, which nobody wrote.
        vm.writeMemory(TARGET + 5, new byte[] {0x11});
        vm.setMemoryAlias(0, 0, WINDOW, 0x10000, TARGET);
        hand.run(Exit.HLT);
        assertEquals(0x11, hand.vcpu.getRegs().gpr[KvmRegs.RAX] & 0xff);
        vm.setMemoryAlias(0, 0, 0, 0, 0);
        assertEquals(0, vm.readMemory(WINDOW + 5, 1)[0]);
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void writeThroughTheWindowIsInTheDirtyLogOfTheTargetAgainAndAgain(String mmu) {
        hand.boot(mmu, "c605 05000a00 77 f4 c605 05000a00 78 f4");
        vm.setMemoryRegion(1, Vm.MEM_LOG_DIRTY_PAGES, TARGET, 0x20000);
        vm.setMemoryAlias(0, 0, WINDOW, 0x10000, TARGET + 0x10000);
        for (int i = 0; i < 2; i++) {
            hand.run(Exit.HLT);
            assertEquals("{16}", vm.getDirtyLog(1).toString());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"direct", "shadow"})
    void codeThatIsWrittenThroughTheWindowIsExecutedAnew(String mmu) {
        hand.boot(mmu, "40 c605 00000a00 43 49 75f5 f4"); // 1: inc eax; mov byte [a0000],43 (inc ebx); dec ecx; jnz 1b; hlt
        vm.setMemoryAlias(3, 0, WINDOW, 0x1000, HandMadeVm.CODE);
        KvmRegs r = hand.vcpu.getRegs();
        r.gpr[KvmRegs.RCX] = 3;
        hand.vcpu.setRegs(r);
        hand.run(Exit.HLT);
        assertEquals(1, hand.vcpu.getRegs().gpr[KvmRegs.RAX]);
        assertEquals(2, hand.vcpu.getRegs().gpr[KvmRegs.RBX]);
    }

    @Test
    void aliasOfNothingIsAHole() {
        hand.boot("direct", "a1 00000a00 f4");
        vm.setMemoryAlias(0, 0, WINDOW, 0x1000, 0x7000_0000);
        hand.run(Exit.MMIO);
    }

    @Test
    void badAliasesAreRefused() {
        hand.boot("direct", "f4");
        refused(4, 0, 0, 0x1000, 0);
        refused(-1, 0, 0, 0x1000, 0);
        refused(0, 1, 0, 0x1000, 0);
        refused(0, 0, 1, 0x1000, 0);
        refused(0, 0, 0, 0x1001, 0);
        refused(0, 0, 0, 0x1000, 0x800);
        refused(0, 0, 0x7ffffffffffff000L, 0x2000, 0);
        refused(0, 0, 0, 0x2000, 0x7ffffffffffff000L);
    }

    private void refused(int alias, int flags, long gpa, long size, long target) {
        assertEquals(Errno.EINVAL, assertThrows(KvmException.class, () -> vm.setMemoryAlias(alias, flags, gpa, size, target)).errno());
    }
}
