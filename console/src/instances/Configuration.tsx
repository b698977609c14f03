import { useTexts } from "../i18n/useLanguage";
import type { InstanceRow } from "./useInstanceList";

/** The instance's configuration, with the data center if the provider left it out. */
export function Configuration({ row }: { readonly row: InstanceRow }) {
  const texts = useTexts().list;
  const { configuration, dataCenter } = row;
  const isNamed = configuration.some(({ value }) => value === dataCenter.name);
  const items = isNamed
    ? configuration
    : [...configuration, { label: texts.dataCenter, value: dataCenter.name }];
  return (
    <dl className="configuration">
      {items.map(({ label, value }) => (
        <div key={label}>
          <dt>{label}:</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
