import { Alert, Typography } from "antd";

interface SecretProps {
  readonly label: string;
  readonly hint: string;
  readonly value: string;
}

/** A secret that the server shows once, with a button that copies it. */
export function Secret({ label, hint, value }: SecretProps) {
  return (
    <Alert
      type="success"
      role="status"
      showIcon
      title={hint}
      description={
        <>
          {label}:{" "}
          <Typography.Text code copyable={{ text: value }} className="instance-id">
            {value}
          </Typography.Text>
        </>
      }
    />
  );
}
