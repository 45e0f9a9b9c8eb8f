package org.backplane.kvm.spi.mmu;

import org.backplane.kvm.spi.CardFactory;
import org.osgi.annotation.versioning.ConsumerType;

/** Makes MMU strategies. An OSGi service; {@link #type} is the name for {@code -mmu}. */
@ConsumerType
public interface MmuFactory extends CardFactory {
    /** Makes the MMU of one VM. */
    Mmu create(MmuContext context);
}
