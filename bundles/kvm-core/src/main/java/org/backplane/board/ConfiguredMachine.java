package org.backplane.board;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.backplane.board.api.BoardException;
import org.backplane.board.api.Machine;
import org.backplane.board.api.MachineFile;
import org.backplane.board.api.MachineOptions;
import org.backplane.board.api.Machines;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.ConfigurationPolicy;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.Modified;
import org.osgi.service.component.annotations.Reference;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A machine that is there as long as its configuration: {@code machines/org.backplane.machine-NAME.cfg}, by File Install and Config Admin. The keys
 * are those of {@link MachineFile}.
 *
 * <p>A configuration that makes no sense is one line in the log and no machine. A change takes effect at once while the machine has not been started;
 * later it waits until there is no machine of that name, for a guest is worth more than its description.
 */
@Component(
        service = {},
        immediate = true,
        configurationPid = MachineFile.FACTORY_PID,
        configurationPolicy = ConfigurationPolicy.REQUIRE)
public final class ConfiguredMachine {
    private static final Logger LOG = LoggerFactory.getLogger(ConfiguredMachine.class);

    /** The property in which File Install leaves the file's URL. */
    private static final String FILE = "felix.fileinstall.filename";

    private static final List<String> THEIRS = List.of("service.", "component.", "felix.", "osgi.", ".");

    private final Machines machines;
    private Machine machine;

    @Activate
    public ConfiguredMachine(@Reference Machines machines, Map<String, Object> configuration) {
        this.machines = machines;
        create(configuration);
    }

    private void create(Map<String, Object> configuration) {
        String name = name(configuration);
        Map<String, String> keys = keys(configuration);
        try {
            Map<String, List<String>> options = MachineFile.options(keys);
            MachineOptions.FRONT_END.forEach(o -> options.remove(o.name()));
            machine = machines.create(name, options);
            if (MachineFile.autostart(keys)) machine.start();
        } catch (BoardException e) {
            LOG.warn("machine {} ({}): {}", name, source(configuration), e.getMessage());
            if (machine != null) machine.stop();
            machine = null;
        }
    }

    @Modified
    void changed(Map<String, Object> configuration) {
        if (machine != null && machine.state() != Machine.State.CREATED && machine.state() != Machine.State.ENDED) {
            LOG.warn("machine {} goes on as it is: the change of {} needs vm:stop and another change", machine.name(), source(configuration));
            return;
        }
        stop();
        create(configuration);
    }

    @Deactivate
    void stop() {
        if (machine != null && machine.state() != Machine.State.ENDED) machine.stop();
        machine = null;
    }

    /** What the file says, without what Config Admin, Declarative Services and File Install add. */
    private static Map<String, String> keys(Map<String, Object> configuration) {
        Map<String, String> keys = new TreeMap<>();
        configuration.forEach((key, value) -> {
            if (THEIRS.stream().noneMatch(key::startsWith)) keys.put(key, String.valueOf(value));
        });
        return keys;
    }

    /** NAME of the file {@code PID-NAME.cfg}, or of the PID {@code PID~NAME}. */
    private static String name(Map<String, Object> configuration) {
        Optional<String> file = Optional.ofNullable(configuration.get(FILE)).map(f -> fileName(f.toString()));
        String id = file.map(f -> f.replaceFirst("\\.[a-z]+$", "")).orElse(String.valueOf(configuration.get("service.pid")));
        return id.startsWith(MachineFile.FACTORY_PID) ? id.substring(Math.min(id.length(), MachineFile.FACTORY_PID.length() + 1)) : id;
    }

    private static String source(Map<String, Object> configuration) {
        Object file = configuration.get(FILE);
        return file == null ? String.valueOf(configuration.get("service.pid")) : fileName(file.toString());
    }

    private static String fileName(String url) {
        return Path.of(URI.create(url)).getFileName().toString();
    }
}
