package org.backplane.vmx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.backplane.kvm.spi.cpu.Intercepts;
import org.backplane.kvm.spi.exit.ExitReasons;
import org.junit.jupiter.api.Test;

/** CR8-load and CR8-store exiting (SDM 3C 25.1.3), each by itself. */
class Cr8ExitTest {
    private static final int LOAD = Controls.CR8_LOAD, STORE = Controls.CR8_STORE;

    @Test
    void cr8AccessesExitAsTheirControlsSay() {
        for (int controls : new int[] {0, LOAD, STORE, LOAD | STORE}) {
            try (Rig rig = Rig.direct().flat()) {
                Vmcs m = rig.vcpu().vmcs;
                int field = VmcsField.PRIMARY_PROCESSOR_BASED_CONTROLS.encoding;
                m.vmwrite(field, m.vmread(field) & ~(LOAD | STORE) | controls);
                rig.call(i -> i.writeCr(rig.v, 8, 5));
                assertEquals((controls & LOAD) != 0 ? 1 : 0, rig.count(ExitReasons.CR_ACCESS), "a load");
                assertEquals((controls & LOAD) != 0 ? 0 : 5, rig.s.cr8, "a load that does not exit is done");
                rig.s.cr8 = 7;
                rig.v.ioValue = 0;
                rig.core.handler = v -> Intercepts.DONE;
                rig.call(i -> i.readCr(rig.v, 8));
                assertEquals(Integer.bitCount(controls), rig.count(ExitReasons.CR_ACCESS), "a store");
                assertEquals((controls & STORE) != 0 ? 0 : 7, rig.v.ioValue);
            }
        }
    }
}
