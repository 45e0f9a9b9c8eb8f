package com.example.vtlb;

import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.osgi.service.component.annotations.Component;

/** {@code -mmu vtlb}. Property {@code vtlb-tables}: leaf tables of a vCPU, each for 2 MiB of addresses, at least 4. */
@Component(service = MmuFactory.class)
public final class VtlbMmuFactory implements MmuFactory {
    private static final String TABLES = "vtlb-tables", DEFAULT = "512";
    private static final int LEAST = 4;

    @Override
    public String type() {
        return "vtlb";
    }

    @Override
    public String description() {
        return "virtual TLB: shadow tables that are filled by faults and emptied by INVLPG and loads of CR3";
    }

    @Override
    public Mmu create(MmuContext context) {
        int tables = Integer.parseInt(context.properties().getOrDefault(TABLES, DEFAULT));
        if (tables < LEAST) throw new IllegalArgumentException(TABLES + " must be at least " + LEAST + ": " + tables);
        return new VtlbMmu(context, tables);
    }
}
