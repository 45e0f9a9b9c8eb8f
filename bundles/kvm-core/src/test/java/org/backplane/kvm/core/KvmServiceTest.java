package org.backplane.kvm.core;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Map;
import org.backplane.board.cards.TestCards;
import org.backplane.directmmu.DirectMmuFactory;
import org.backplane.kvm.api.KvmException;
import org.backplane.kvm.api.KvmException.Errno;
import org.backplane.kvm.core.vm.KvmVm;
import org.backplane.shadowmmu.ShadowMmuFactory;
import org.backplane.vmx.VmxFactory;
import org.backplane.x86.emulate.InterpreterFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** KVM_CREATE_VM's options. */
class KvmServiceTest {
    private final TestCards cards = new TestCards();
    private final KvmService kvm = new KvmService(cards.registry);

    @BeforeEach
    void insert() {
        cards.backend(new VmxFactory());
        cards.mmu(new DirectMmuFactory());
        cards.mmu(new ShadowMmuFactory());
        cards.emulator(new InterpreterFactory());
    }

    @AfterEach
    void stop() {
        kvm.stop();
    }

    @Test
    void theShadowPageBudgetReachesTheMmu() {
        KvmVm vm = (KvmVm) kvm.createVm(Map.of("mmu", "shadow", "shadow-pages", "77"));
        assertEquals(77, vm.mmu().counters().get("shadow_pages_limit"));
    }

    @Test
    void whatACardRefusesIsEinval() {
        for (String bad : new String[] {"63", "many"}) {
            KvmException e = assertThrows(KvmException.class, () -> kvm.createVm(Map.of("mmu", "shadow", "shadow-pages", bad)));
            assertEquals(Errno.EINVAL, e.errno());
        }
        KvmException e = assertThrows(KvmException.class, () -> kvm.createVm(Map.of("mmu", "shadow", "realmode", "unrestricted")));
        assertEquals(Errno.EINVAL, e.errno());
    }

    @Test
    void aCardThatIsNotThereIsEnodev() {
        KvmException e = assertThrows(KvmException.class, () -> kvm.createVm(Map.of("mmu", "none")));
        assertEquals(Errno.ENODEV, e.errno());
    }
}
