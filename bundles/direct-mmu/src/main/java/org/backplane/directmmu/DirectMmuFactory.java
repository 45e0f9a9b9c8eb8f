package org.backplane.directmmu;

import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.osgi.service.component.annotations.Component;

/** {@code -mmu direct}: two-dimensional paging. */
@Component(service = MmuFactory.class)
public final class DirectMmuFactory implements MmuFactory {
    @Override
    public String type() {
        return "direct";
    }

    @Override
    public String description() {
        return "two-dimensional paging (EPT): the processor walks the guest's tables, then gpa to hpa";
    }

    @Override
    public Mmu create(MmuContext context) {
        return new DirectMmu(context);
    }
}
