package io.twinkernel.broker.agent;

import io.twinkernel.broker.process.CgroupLayout;
import io.twinkernel.broker.protocol.Fields;
import io.twinkernel.broker.protocol.MalformedMessageException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Cgroups of the processes that move, as STAGE and TRACE of {@link FrameType} carry them. */
final class StagedCgroups {
  private StagedCgroups() {}

  static List<Map<String, Object>> toJson(CgroupLayout layout) {
    return layout.groups().stream()
        .map(
            group ->
                Map.<String, Object>of(
                    "path", group.path(), "pids", group.pids(), "limits", group.limits()))
        .toList();
  }

  static CgroupLayout read(Fields stage) throws MalformedMessageException {
    var groups = new ArrayList<CgroupLayout.Group>();
    for (Fields group : stage.objects("cgroups")) {
      var limits = new LinkedHashMap<String, String>();
      Fields named = group.object("limits");
      for (String file : named.values().keySet()) {
        limits.put(file, named.text(file));
      }
      groups.add(new CgroupLayout.Group(group.text("path"), group.numbers("pids"), limits));
    }
    return new CgroupLayout(groups);
  }
}
