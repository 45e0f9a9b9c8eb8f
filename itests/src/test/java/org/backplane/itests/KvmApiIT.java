package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.backplane.kvm.api.Kvm;
import org.backplane.kvm.api.KvmRegs;
import org.backplane.kvm.api.KvmRun;
import org.backplane.kvm.api.KvmRun.Exit;
import org.backplane.kvm.api.KvmSregs;
import org.backplane.kvm.api.KvmSregs.Segment;
import org.backplane.kvm.api.Vcpu;
import org.backplane.kvm.api.Vm;
import org.junit.jupiter.api.Test;

/** The KVM API as a service: a VM run by hand, with no card, as qemu would. */
@InContainer
class KvmApiIT {
    @Test
    void aClientServesTheExitsItself() {
        Kvm kvm = Osgi.service(Kvm.class);
        try (Vm vm = kvm.createVm(Map.of())) {
            vm.setMemoryRegion(0, 0, 0, 0x10000);
            byte[] code = {
                (byte) 0xe4, 0x42, // in al, 0x42
                0x04, 0x01, // add al, 1
                (byte) 0xe6, 0x43, // out 0x43, al
                (byte) 0xf4 // hlt
            };
            vm.writeMemory(0x1000, code);
            Vcpu cpu = vm.createVcpu(0);
            KvmSregs sregs = cpu.getSregs();
            sregs.cs = new Segment(0, 0xffff, 0, 0xb, true, 0, false, true, false, false, false, false);
            cpu.setSregs(sregs);
            KvmRegs regs = cpu.getRegs();
            regs.rip = 0x1000;
            cpu.setRegs(regs);

            KvmRun run = cpu.run();
            assertEquals(Exit.IO, run.exitReason);
            assertEquals(0x42, run.ioPort);
            assertFalse(run.ioOut);
            run.setData(1, 0x7f);

            cpu.run();
            assertEquals(Exit.IO, run.exitReason);
            assertEquals(0x43, run.ioPort);
            assertTrue(run.ioOut);
            assertEquals(0x80, run.dataValue(1));

            cpu.run();
            assertEquals(Exit.HLT, run.exitReason);
        }
    }
}
