package com.example.vtlb;

import java.util.Map;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.backplane.kvm.testing.MmuContractTest;

/** The same with so few tables that they overflow all the time. */
class SmallVtlbMmuContractTest extends MmuContractTest {
    @Override
    protected MmuFactory factory() {
        return new VtlbMmuFactory();
    }

    @Override
    protected Map<String, String> properties() {
        return Map.of("vtlb-tables", "4");
    }
}
