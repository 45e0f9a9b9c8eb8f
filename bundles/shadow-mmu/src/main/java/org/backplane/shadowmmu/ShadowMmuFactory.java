package org.backplane.shadowmmu;

import org.backplane.kvm.spi.mmu.Mmu;
import org.backplane.kvm.spi.mmu.MmuContext;
import org.backplane.kvm.spi.mmu.MmuFactory;
import org.osgi.service.component.annotations.Component;

/** {@code -mmu shadow}: KVM's shadow paging of 2007. Property {@code shadow-pages}: most shadow pages in use, at least 64. */
@Component(service = MmuFactory.class)
public final class ShadowMmuFactory implements MmuFactory {
    private static final String PAGES = "shadow-pages", DEFAULT_PAGES = "4096";
    private static final int LEAST_PAGES = 64;

    @Override
    public String type() {
        return "shadow";
    }

    @Override
    public String description() {
        return "shadow paging as in KVM of 2007: gva to hpa in one table, guest page tables write-protected";
    }

    @Override
    public Mmu create(MmuContext context) {
        String value = context.properties().getOrDefault(PAGES, DEFAULT_PAGES);
        int pages;
        try {
            pages = Integer.parseInt(value);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(PAGES + ": not a number: " + value, e);
        }
        if (pages < LEAST_PAGES) throw new IllegalArgumentException(PAGES + " must be at least " + LEAST_PAGES + ": " + value);
        return new ShadowMmu(context, pages);
    }
}
