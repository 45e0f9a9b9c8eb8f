package org.backplane.board.machine;

import java.lang.management.ManagementFactory;
import java.util.Map;
import javax.management.JMException;
import javax.management.MBeanServer;
import javax.management.ObjectName;
import javax.management.StandardMBean;
import org.backplane.board.api.Machine;
import org.backplane.board.api.PauseStats;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Registers a machine with the platform's MBean server. A machine that cannot be registered, because another container has one of its name, runs all the same. */
final class ManagedMachine implements MachineMXBean, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(ManagedMachine.class);

    private final Machine machine;
    private final MBeanServer server = ManagementFactory.getPlatformMBeanServer();
    private boolean registered;

    ManagedMachine(Machine machine) {
        this.machine = machine;
        try {
            server.registerMBean(new StandardMBean(this, MachineMXBean.class, true), name());
            registered = true;
        } catch (JMException e) {
            LOG.warn("machine {} is not seen by JMX: {}", machine.name(), e.toString());
        }
    }

    private ObjectName name() throws JMException {
        return new ObjectName("org.backplane:type=Machine,name=" + machine.name());
    }

    @Override
    public String getState() {
        return machine.state().name();
    }

    @Override
    public String getStateDetail() {
        return machine.stateDetail();
    }

    @Override
    public PauseStats getPauses() {
        return machine.pauses();
    }

    @Override
    public Map<String, String> getStats() {
        return machine.stats();
    }

    /** Not seen any more. */
    @Override
    public void close() {
        if (!registered) return;
        registered = false;
        try {
            server.unregisterMBean(name());
        } catch (JMException e) {
            LOG.warn("machine {} stays visible to JMX: {}", machine.name(), e.toString());
        }
    }
}
