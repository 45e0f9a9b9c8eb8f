package org.backplane.board.machine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.backplane.kvm.core.memory.GuestMemory;
import org.backplane.kvm.spi.cpu.CpuState;
import org.backplane.kvm.spi.cpu.VcpuContext;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PageWalkTextTest {
    private final GuestMemory memory = new GuestMemory();
    private final VcpuContext vcpu = new VcpuContext(0, memory, null);

    @BeforeEach
    void tables() {
        memory.set(0, 0, 0, 0x10000, null);
        vcpu.state.reset();
        vcpu.state.cr3 = 0x1000;
        vcpu.state.cr4 = CpuState.CR4_PSE;
        vcpu.state.cr0 |= CpuState.CR0_PG | CpuState.CR0_PE;
        memory.write(0x1000, 4, 0x2067);
        memory.write(0x1004, 4, 0x4000e3);
        memory.write(0x2004, 4, 0x5021);
    }

    @AfterEach
    void close() {
        memory.close();
    }

    @Test
    void everyLevelIsALineAndTheAnswerTheLast() {
        assertEquals(
                List.of(
                        "PDE   at gpa 00001000: 0000000000002067 PWU--AD--",
                        "PTE   at gpa 00002004: 0000000000005021 P----A---",
                        "gva 00001234 -> gpa 00005234, page of 4 KiB"),
                PageWalkText.lines(memory, vcpu, 0x1234));
    }

    @Test
    void aLargePageEndsTheWalk() {
        assertEquals(
                List.of("PDE   at gpa 00001004: 00000000004000e3 PW---ADL-", "gva 00412345 -> gpa 00412345, page of 4 MiB"),
                PageWalkText.lines(memory, vcpu, 0x412345));
    }

    @Test
    void aWalkEndsWhereNothingIsMappedAndChangesNothing() {
        assertEquals(
                List.of(
                        "PDE   at gpa 00001000: 0000000000002067 PWU--AD--",
                        "PTE   at gpa 00002008: 0000000000000000 ---------",
                        "gva 00002000 is not mapped"),
                PageWalkText.lines(memory, vcpu, 0x2000));
        assertEquals(0x5021, memory.read(0x2004, 4));
    }

    @Test
    void withoutPagingAddressesAreTheSame() {
        vcpu.state.cr0 &= ~CpuState.CR0_PG;
        assertEquals(List.of("paging is off", "gva 00001234 -> gpa 00001234"), PageWalkText.lines(memory, vcpu, 0x1234));
    }
}
