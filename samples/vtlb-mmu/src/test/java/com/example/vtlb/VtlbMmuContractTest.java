package com.example.vtlb;

import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.testing.MmuContractTest;

/** What every MMU keeps. */
class VtlbMmuContractTest extends MmuContractTest {
    @Override
    protected MmuFactory factory() {
        return new VtlbMmuFactory();
    }
}
