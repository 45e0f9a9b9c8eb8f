package org.backplane.shadowmmu;

import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.testing.MmuContractTest;

/** What every MMU keeps. */
class ShadowMmuContractTest extends MmuContractTest {
    @Override
    protected MmuFactory factory() {
        return new ShadowMmuFactory();
    }
}
