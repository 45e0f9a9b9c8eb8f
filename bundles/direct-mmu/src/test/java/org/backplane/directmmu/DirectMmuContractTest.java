package org.backplane.directmmu;

import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.testing.MmuContractTest;

/** What every MMU keeps. */
class DirectMmuContractTest extends MmuContractTest {
    @Override
    protected MmuFactory factory() {
        return new DirectMmuFactory();
    }
}
