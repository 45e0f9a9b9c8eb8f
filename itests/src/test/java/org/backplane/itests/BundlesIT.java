package org.backplane.itests;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.backplane.board.api.Machines;
import org.backplane.itests.harness.InContainer;
import org.backplane.itests.support.Osgi;
import org.backplane.kvm.api.Kvm;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Bundle;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

/** The distribution as it comes up. */
@InContainer
class BundlesIT {
    @Test
    void everyBundleIsActive() {
        List<String> down = Arrays.stream(Osgi.context().getBundles())
                .filter(b -> b.getState() != Bundle.ACTIVE)
                .map(b -> b.getSymbolicName() + " is in state " + b.getState())
                .toList();
        assertEquals(List.of(), down);
        assertTrue(Osgi.ownBundles().size() >= 20, "the whole board is there: " + Osgi.ownBundles());
    }

    /** Those that wait for a configuration wait for a machine file of the user's. */
    @Test
    void everyComponentHasWhatItNeeds() {
        ServiceComponentRuntime runtime = Osgi.service(ServiceComponentRuntime.class);
        List<String> unsatisfied = new ArrayList<>();
        for (ComponentDescriptionDTO component : runtime.getComponentDescriptionDTOs(Osgi.ownBundles().toArray(Bundle[]::new))) {
            for (ComponentConfigurationDTO c : runtime.getComponentConfigurationDTOs(component)) {
                boolean waitsForUser = c.state == ComponentConfigurationDTO.UNSATISFIED_CONFIGURATION;
                boolean good = c.state == ComponentConfigurationDTO.ACTIVE || c.state == ComponentConfigurationDTO.SATISFIED;
                if (!good && !waitsForUser) unsatisfied.add(component.name + " is in state " + c.state + " " + c.failure);
            }
        }
        assertEquals(List.of(), unsatisfied);
    }

    @Test
    void theServicesOfTheBoardAreThere() {
        assertEquals(Kvm.API_VERSION, Osgi.service(Kvm.class).apiVersion());
        List<String> kinds = Osgi.service(Machines.class).cardTypes().stream().map(c -> c.kind()).distinct().sorted().toList();
        assertEquals(List.of("cpu-backend", "device", "emulator", "firmware", "image", "loader", "mmu"), kinds);
    }
}
